(module
  (func $f (result i32) (local funcref externref)
    local.get 1
    ref.is_null))

;; lowered:
;; function 0 f
;; 0x001c  local.get 1
;; 0x001e  ref.is_null
;;     |     0  i64.eqz s0 <- l1
;; 0x001f  )
;;     |     2  return acc
