;; Three nested loops of f64 loads, multiplications and additions: a matrix product, row by column.
;; Result: the sum of the product's elements, as the bits of an f64.
(module
  (memory 16)

  ;; Where the element of a square matrix lies.
  (func $address (param $base i32) (param $size i32) (param $row i32) (param $column i32) (result i32)
    (i32.add
      (local.get $base)
      (i32.shl (i32.add (i32.mul (local.get $row) (local.get $size)) (local.get $column)) (i32.const 3))))

  (func $fill (param $base i32) (param $size i32) (param $step f64)
    (local $row i32) (local $column i32)
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (f64.store
          (call $address (local.get $base) (local.get $size) (local.get $row) (local.get $column))
          (f64.sub
            (f64.mul (local.get $step) (f64.convert_i32_s (local.get $row)))
            (f64.convert_i32_s (local.get $column))))
        (br_if $columns
          (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 1))) (local.get $size))))
      (br_if $rows
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $size)))))

  (func (export "run") (param $size i32) (result i64)
    (local $bytes i32) (local $row i32) (local $column i32) (local $left i32) (local $right i32)
    (local $left_end i32) (local $element f64) (local $sum f64)
    (local.set $bytes (i32.shl (i32.mul (local.get $size) (local.get $size)) (i32.const 3)))
    (call $fill (i32.const 0) (local.get $size) (f64.const 0.5))
    (call $fill (local.get $bytes) (local.get $size) (f64.const 0.25))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $left (call $address (i32.const 0) (local.get $size) (local.get $row) (i32.const 0)))
        (local.set $left_end (i32.add (local.get $left) (i32.shl (local.get $size) (i32.const 3))))
        (local.set $right (call $address (local.get $bytes) (local.get $size) (i32.const 0) (local.get $column)))
        (local.set $element (f64.const 0))
        (loop $products
          (local.set $element
            (f64.add
              (local.get $element)
              (f64.mul (f64.load (local.get $left)) (f64.load (local.get $right)))))
          (local.set $right (i32.add (local.get $right) (i32.shl (local.get $size) (i32.const 3))))
          (br_if $products
            (i32.lt_u (local.tee $left (i32.add (local.get $left) (i32.const 8))) (local.get $left_end))))
        (f64.store
          (call $address
            (i32.shl (local.get $bytes) (i32.const 1)) (local.get $size) (local.get $row) (local.get $column))
          (local.get $element))
        (local.set $sum (f64.add (local.get $sum) (local.get $element)))
        (br_if $columns
          (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 1))) (local.get $size))))
      (br_if $rows
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $size))))
    (i64.reinterpret_f64 (local.get $sum))))
