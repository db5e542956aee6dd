;; An i32 waits on the stack, below a call and under pressure, where an i64 was before, and is then used as
;; something of 64 bits. What the i64 left in the upper half of the place must not come back.
(module
  (memory 1)
  (data (i32.const 4) "\39\30\00\00")
  (func $same (param i32) (result i32) (local.get 0))
  (func $long (param i64) (result i64) (local.get 0))
  (func (export "address") (param $x i64) (param $a i32) (result i32)
    ;; The i64 is in the slot first,
    (drop (i64.add (i64.add (local.get $x) (i64.const -1)) (call $long (local.get $x))))
    ;; then the address, and both are below a call.
    (i32.add (i32.load (i32.add (local.get $a) (i32.const 1))) (call $same (i32.const 0))))
  (func (export "extended") (param $x i64) (param $a i32) (result i64)
    (drop (i64.add (i64.add (local.get $x) (i64.const -1)) (call $long (local.get $x))))
    (i64.add
      (i64.extend_i32_u (i32.add (i32.sub (local.get $a) (i32.const 1)) (call $same (i32.const 1))))
      (i64.const 0)))
  (func (export "waiting") (param $x i64) (param $a i32) (result i64)
    (local $r i64)
    (drop (i64.mul (i64.mul (local.get $x) (local.get $x)) (call $long (local.get $x))))
    (i32.mul (local.get $a) (i32.const 3))
    (local.set $r (call $long (local.get $x)))
    (i64.extend_i32_u)
    (i64.xor (local.get $r))))
(assert_return (invoke "address" (i64.const -1) (i32.const 3)) (i32.const 12345))
(assert_return (invoke "extended" (i64.const -1) (i32.const 9)) (i64.const 9))
(assert_return (invoke "waiting" (i64.const -1) (i32.const 5)) (i64.const -16))
