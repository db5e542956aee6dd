(module
  (memory 1)
  (func $f (param i32) (result i64)
    local.get 0
    i64.load16_s))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  i64.load16_s
;;     |     0  i64.load16_s s0 <- l0, 0x0
;; 0x0023  )
;;     |     2  return acc
