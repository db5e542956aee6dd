(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    i32.const 3
    i32.shl
    local.get 1
    i32.shr_s))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  i32.const 3
;; 0x001e  i32.shl
;;     |     0  i32.shl s0 <- l0, 0x3
;; 0x001f  local.get 1
;; 0x0021  i32.shr_s
;;     |     2  i32.shr_s s0 <- acc, l1
;; 0x0022  )
;;     |     4  return acc
