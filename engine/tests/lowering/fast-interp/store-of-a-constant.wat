(module
  (memory 1)
  (func $f (param i32)
    local.get 0
    i32.const 42
    i32.store8 offset=3))

;; lowered:
;; function 0 f
;; 0x001d  local.get 0
;; 0x001f  i32.const 42
;; 0x0021  i32.store8 offset=3
;;     |     0  i32.store8 l0, 0x3, 0x2a
;; 0x0024  )
;;     |     3  return
