(module
  (table 4 funcref)
  (func $f (param i32) (result i32)
    local.get 0
    call_indirect (result i32)))

;; lowered:
;; function 0 f
;; 0x0023  local.get 0
;; 0x0025  call_indirect (type 1)
;;     |     0  call_indirect s0, l0
;; 0x0028  )
;;     |     3  return acc
