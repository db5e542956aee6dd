;; A local of reference type starts null, which is a value of its own and not a zero that a table
;; lookup could mistake for an element.

(module
  (table $functions 2 funcref)
  (table $objects 2 externref)

  (func (export "func") (result i32) (local funcref)
    (ref.is_null (local.get 0)))
  (func (export "extern") (result i32) (local externref)
    (ref.is_null (local.get 0)))
  (func (export "func-itself") (result funcref) (local funcref)
    (local.get 0))
  (func (export "extern-itself") (result externref) (local externref)
    (local.get 0))
  (func (export "after-a-number") (param i64 f64) (result i32) (local i32 funcref i64 externref)
    (i32.and (ref.is_null (local.get 3)) (ref.is_null (local.get 5))))
  (func (export "through-a-table") (param externref) (result i32) (local externref)
    (table.set $objects (i32.const 0) (local.get 0))
    (table.set $objects (i32.const 0) (local.get 1))
    (ref.is_null (table.get $objects (i32.const 0))))
)

(assert_return (invoke "func") (i32.const 1))
(assert_return (invoke "extern") (i32.const 1))
(assert_return (invoke "func-itself") (ref.null func))
(assert_return (invoke "extern-itself") (ref.null extern))
(assert_return (invoke "after-a-number" (i64.const -1) (f64.const -1)) (i32.const 1))
(assert_return (invoke "through-a-table" (ref.extern 0)) (i32.const 1))
