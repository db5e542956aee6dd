(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (func $f (result i32)
    i32.const 4
    call $host))

;; lowered:
;; function 1 f
;; 0x002b  i32.const 4
;; 0x002d  call $host
;;     |     0  const s0 <- 0x4
;;     |     2  call s0, 0x0
;; 0x002f  )
;;     |     5  return acc
