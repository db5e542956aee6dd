(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 100
    i32.add
    i32.const -1
    i32.xor))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i32.const 100
;; 0x001e  i32.add
;;     |     0  i32.add s0 <- l0, 0x64
;; 0x001f  i32.const -1
;; 0x0021  i32.xor
;;     |     2  i32.xor s0 <- acc, 0xffffffff
;; 0x0022  )
;;     |     4  return acc
