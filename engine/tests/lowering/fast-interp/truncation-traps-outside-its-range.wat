(module
  (func $f (param f64) (result i32)
    local.get 0
    i32.trunc_f64_s))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i32.trunc_f64_s
;;     |     0  i32.trunc_f64_s s0 <- l0
;; 0x001c  )
;;     |     2  return acc
