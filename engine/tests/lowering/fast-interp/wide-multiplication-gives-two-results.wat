(module
  (func $f (param i64 i64) (result i64 i64)
    local.get 0
    local.get 1
    i64.mul_wide_s))

;; lowered:
;; function 0 f
;; 0x001b  local.get 0
;; 0x001d  local.get 1
;; 0x001f  i64.mul_wide_s
;;     |     0  copy.2 s0 <- l0, l1
;;     |     2  i64.mul_wide_s s0, 0x0, 0x0
;; 0x0021  )
;;     |     5  return 0x200000004
