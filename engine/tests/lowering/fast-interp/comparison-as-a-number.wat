(module
  (func $f (param i64 i64) (result i32)
    local.get 0
    local.get 1
    i64.ge_u))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  i64.ge_u
;;     |     0  i64.ge_u s0 <- l0, l1
;; 0x001f  )
;;     |     2  return acc
