;; A tail call to a host function leaves no frame behind, so a loop of a hundred thousand of them,
;; direct, indirect and by reference, runs in constant depth.

(module
  (type $print (func (param i32)))
  (import "spectest" "print_i32" (func $print (type $print)))
  (table funcref (elem $print))
  (elem declare func $print)

  (func (export "direct") (param i32)
    (return_call $print (local.get 0)))
  (func (export "indirect") (param i32)
    (return_call_indirect (type $print) (local.get 0) (i32.const 0)))
  (func (export "by-reference") (param i32)
    (return_call_ref $print (local.get 0) (ref.func $print)))

  (func $last (param i32) (result i32)
    (local.get 0))
  (func $down (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return_call $last (local.get 1))))
    (return_call $down
      (i32.sub (local.get 0) (i32.const 1))
      (i32.add (local.get 1) (i32.const 1))))
  (func (export "down") (param i32) (result i32)
    (return_call $down (local.get 0) (i32.const 0)))
)

(assert_return (invoke "direct" (i32.const 1)))
(assert_return (invoke "indirect" (i32.const 2)))
(assert_return (invoke "by-reference" (i32.const 3)))
(assert_return (invoke "down" (i32.const 100000)) (i32.const 100000))
