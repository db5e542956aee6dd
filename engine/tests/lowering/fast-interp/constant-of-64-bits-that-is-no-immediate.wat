(module
  (func $f (param i64) (result i64)
    local.get 0
    i64.const 0x123456789abcdef
    i64.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i64.const 81985529216486895
;; 0x0025  i64.add
;;     |     0  i64.add s0 <- l0, 0x123456789abcdef
;; 0x0026  )
;;     |     3  return acc
