(module
  (memory 1)
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    i32.load 1))

;; lowered:
;; function 0 f
;; 0x0020  local.get 0
;; 0x0022  i32.load 1
;;     |     0  i32.load s0 <- l0, 0x1, 0x0
;; 0x0026  )
;;     |     3  return acc
