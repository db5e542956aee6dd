(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    local.set 0
    local.set 1
    local.get 0
    local.get 1
    i32.sub))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  local.set 0
;;     |     0  copy s0 <- l0
;;     |     2  copy l0 <- l1
;; 0x0020  local.set 1
;;     |     4  copy l1 <- s0
;; 0x0022  local.get 0
;; 0x0024  local.get 1
;; 0x0026  i32.sub
;;     |     6  i32.sub s0 <- l0, acc
;; 0x0027  )
;;     |     8  return acc
