(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.mul
    local.set 0
    local.get 0))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  i32.mul
;;     |     0  i32.mul l0 <- l0, l1
;; 0x001f  local.set 0
;; 0x0021  local.get 0
;; 0x0023  )
;;     |     2  return acc
