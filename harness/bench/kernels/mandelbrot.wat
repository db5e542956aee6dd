;; f32 arithmetic with a data-dependent exit: iterations until points of a grid leave the Mandelbrot set.
;; Result: the sum of the iterations of all points; the argument is the grid's width and height.
(module
  (func $iterations (param $real f32) (param $imaginary f32) (result i32)
    (local $x f32) (local $y f32) (local $xx f32) (local $yy f32) (local $count i32)
    (loop $next (result i32)
      (local.set $y
        (f32.add
          (f32.mul (f32.add (local.get $x) (local.get $x)) (local.get $y))
          (local.get $imaginary)))
      (local.set $x (f32.add (f32.sub (local.get $xx) (local.get $yy)) (local.get $real)))
      (local.set $xx (f32.mul (local.get $x) (local.get $x)))
      (local.set $yy (f32.mul (local.get $y) (local.get $y)))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br_if $next
        (local.get $count)
        (i32.and
          (f32.le (f32.add (local.get $xx) (local.get $yy)) (f32.const 4))
          (i32.lt_u (local.get $count) (i32.const 200))))))

  (func (export "run") (param $size i32) (result i64)
    (local $row i32) (local $column i32) (local $scale f32) (local $sum i64)
    (local.set $scale (f32.div (f32.const 3) (f32.convert_i32_u (local.get $size))))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $sum
          (i64.add
            (local.get $sum)
            (i64.extend_i32_u
              (call $iterations
                (f32.sub
                  (f32.mul (f32.convert_i32_u (local.get $column)) (local.get $scale))
                  (f32.const 2.25))
                (f32.sub
                  (f32.mul (f32.convert_i32_u (local.get $row)) (local.get $scale))
                  (f32.const 1.5))))))
        (br_if $columns
          (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 1))) (local.get $size))))
      (br_if $rows
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $size))))
    (local.get $sum)))
