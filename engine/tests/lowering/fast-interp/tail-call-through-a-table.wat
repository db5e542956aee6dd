(module
  (table 4 funcref)
  (func $f (param i32) (result i32)
    local.get 0
    local.get 0
    return_call_indirect (param i32) (result i32)))

;; lowered:
;; function 0 f
;; 0x001f  local.get 0
;; 0x0021  local.get 0
;; 0x0023  return_call_indirect (type 0)
;;     |     0  copy s0 <- l0
;;     |     2  return_call_indirect s0, l0
;; 0x0026  )
