(module
  (func $f (param i32)
    local.get 0
    if
      nop
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0018  local.get 0
;; 0x001a  if ;; label = @1
;;     |     0  branch if i32.eqz l0, -> 4
;; 0x001c  nop
;; 0x001d  unreachable
;;     |     2  unreachable
;; 0x001e  end
;; 0x001f  )
;;     |     4  return
