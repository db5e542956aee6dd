(module
  (memory i64 1)
  (func $f (param i64) (result f64)
    local.get 0
    f64.load offset=0x100000000))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  f64.load offset=4294967296
;;     |     0  f64.load s0 <- l0, 0x0, 0x100000000
;; 0x0027  )
;;     |     3  return acc
