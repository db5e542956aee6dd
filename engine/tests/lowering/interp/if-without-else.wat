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
;;     | if             -> 0x001f stp 1 keep 0 drop 0
;; 0x001c  nop
;; 0x001d  unreachable
;; 0x001e  end
;; 0x001f  )
