;; wasmi 2.0.0 loses the values that `br_table` carries when its labels are at different heights and an operand
;; lies below the values: it gives 0 for the second call. Found by campaigns with wasmi as judge.
(module
  (func (export "f") (param i32) (result i64) (local i64 i64)
    (block (result i64 i64)
      (block (result i64 i64)
        (i64.const 9)
        (br_table 1 0 (i64.const 1) (i64.const 2) (local.get 0)))
      (local.set 1)
      (local.set 2)
      (local.get 2)
      (local.get 2))
    (drop)))
(assert_return (invoke "f" (i32.const 0)) (i64.const 1))
(assert_return (invoke "f" (i32.const 1)) (i64.const 1))
