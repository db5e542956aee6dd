(module
  (global (mut i64) (i64.const 5))
  (func $f (result i64)
    global.get 0
    i64.const 1
    i64.add
    global.set 0
    global.get 0))

;; lowered:
;; function 0 f
;; 0x0020  global.get 0
;;     |     0  global.get s0 <- 0x0
;; 0x0022  i64.const 1
;; 0x0024  i64.add
;;     |     2  i64.add s0 <- acc, 0x1
;; 0x0025  global.set 0
;;     |     5  global.set 0x0, acc
;; 0x0027  global.get 0
;;     |     7  global.get s0 <- 0x0
;; 0x0029  )
;;     |     9  return acc
