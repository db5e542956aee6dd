(module
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    i32.load offset=16))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  i32.load offset=16
;;     |     0  i32.load s0 <- l0, 0x10
;; 0x0023  )
;;     |     2  return acc
