(module
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    memory.grow))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  memory.grow
;;     |     0  copy s0 <- l0
;;     |     2  memory.grow s0, 0x0, 0x0
;; 0x0022  )
;;     |     5  return s0
