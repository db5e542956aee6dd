(module
  (func $f (param i32 i32) (result i32)
    local.get 1
    local.get 0
    if (param i32) (result i32)
      i32.const 1
      i32.add
    else
      i32.const 2
      i32.mul
    end))

;; lowered:
;; function 0 f
;; 0x001f  local.get 1
;; 0x0021  local.get 0
;; 0x0023  if (type 1) (param i32) (result i32) ;; label = @1
;;     |     0  copy s0 <- l1
;;     |     2  branch if i32.eqz l0, -> 8
;; 0x0025  i32.const 1
;; 0x0027  i32.add
;;     |     4  i32.add s0 <- acc, 0x1
;; 0x0028  else
;;     |     6  jump -> 10
;; 0x0029  i32.const 2
;; 0x002b  i32.mul
;;     |     8  i32.mul s0 <- s0, 0x2
;; 0x002c  end
;; 0x002d  )
;;     |    10  return s0
