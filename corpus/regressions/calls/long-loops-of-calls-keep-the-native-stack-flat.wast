;; Calls of every kind in a long loop. An interpreter whose handlers jump to one another overflows the
;; native stack here as soon as one of them calls the next instead, which compilers decide by themselves:
;; an optimised build once lost the jump in calls through tables.
(module
  (type $unary (func (param i32) (result i32)))
  (func $plus (export "plus") (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $tail (type $unary) (return_call $plus (local.get 0)))
  (func $tail_indirect (type $unary) (return_call_indirect (type $unary) (local.get 0) (i32.const 0)))
  (table funcref (elem $plus $tail $tail_indirect))
  (func (export "direct") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call $tail (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  (func (export "indirect") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call_indirect (type $unary) (local.get $x) (i32.rem_u (local.get $n) (i32.const 3))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
(register "callee")
(assert_return (invoke "direct" (i32.const 200000)) (i32.const 200000))
(assert_return (invoke "indirect" (i32.const 200000)) (i32.const 200000))
;; The same into another instance.
(module
  (type $unary (func (param i32) (result i32)))
  (import "callee" "plus" (func $plus (type $unary)))
  (table funcref (elem $plus))
  (func $tail (type $unary) (return_call $plus (local.get 0)))
  (func (export "far") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call $plus (call $tail (call_indirect (type $unary) (local.get $x) (i32.const 0)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
(assert_return (invoke "far" (i32.const 100000)) (i32.const 300000))
