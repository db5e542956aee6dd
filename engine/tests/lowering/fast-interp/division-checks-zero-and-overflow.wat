(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.div_s))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  i32.div_s
;;     |     0  i32.div_s s0 <- l0, l1
;; 0x001f  )
;;     |     2  return acc
