;; The index of a table of branches is a local that is read again behind it.
(module
  (func (export "again") (param $i i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get $i)))
      (return (i32.add (local.get $i) (i32.const 100))))
      (return (i32.add (local.get $i) (i32.const 200))))
    (i32.add (local.get $i) (i32.const 300)))
  (func (export "teed") (param $i i32) (result i32)
    (block $b (block $a
      (br_table $a $b (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (return (i32.mul (local.get $i) (i32.const 10))))
    (i32.mul (local.get $i) (i32.const 100))))
(assert_return (invoke "again" (i32.const 0)) (i32.const 100))
(assert_return (invoke "again" (i32.const 1)) (i32.const 201))
(assert_return (invoke "again" (i32.const 2)) (i32.const 302))
(assert_return (invoke "again" (i32.const -1)) (i32.const 299))
(assert_return (invoke "teed" (i32.const 1)) (i32.const 0))
(assert_return (invoke "teed" (i32.const 2)) (i32.const 100))
(assert_return (invoke "teed" (i32.const 0)) (i32.const -100))
