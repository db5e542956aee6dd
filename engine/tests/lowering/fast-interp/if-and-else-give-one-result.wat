(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    if (result i32)
      local.get 1
    else
      i32.const 7
    end))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  if (result i32) ;; label = @1
;;     |     0  branch if i32.eqz l0, -> 6
;; 0x001e  local.get 1
;; 0x0020  else
;;     |     2  copy s0 <- l1
;;     |     4  jump -> 8
;; 0x0021  i32.const 7
;; 0x0023  end
;;     |     6  const s0 <- 0x7
;; 0x0024  )
;;     |     8  return s0
