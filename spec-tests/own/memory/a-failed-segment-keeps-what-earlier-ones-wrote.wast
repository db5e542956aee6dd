;; Segments are written one after the other; what came before the one that traps stays written, and
;; the one that traps writes nothing.

(module $target
  (memory (export "memory") 1 1)
  (func (export "load") (param i32) (result i32)
    (i32.load8_u (local.get 0)))
)
(register "target" $target)

(assert_trap
  (module
    (import "target" "memory" (memory 1))
    (data (i32.const 0) "a")
    (data (i32.const 65535) "bc")
    (data (i32.const 1) "d"))
  "out of bounds memory access")

(assert_return (invoke $target "load" (i32.const 0)) (i32.const 97))
(assert_return (invoke $target "load" (i32.const 1)) (i32.const 0))
(assert_return (invoke $target "load" (i32.const 65535)) (i32.const 0))
