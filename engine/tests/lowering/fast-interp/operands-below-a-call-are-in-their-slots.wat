(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 3
    i32.mul
    i32.const 1
    call $f
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i32.const 3
;; 0x001d  i32.mul
;;     |     0  i32.mul s0 <- l0, 0x3
;; 0x001e  i32.const 1
;; 0x0020  call $f
;;     |     2  const s1 <- 0x1
;;     |     4  call s1, 0x0
;; 0x0022  i32.add
;;     |     7  i32.add s0 <- s0, acc
;; 0x0023  )
;;     |     9  return acc
