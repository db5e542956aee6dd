;; f64 arithmetic with square roots and divisions: bodies that attract each other, moved step by step.
;; Result: the sum of all coordinates after the last step, as the bits of an f64.
(module
  (memory 1)
  ;; Bodies lie one after the other: position x y z, velocity x y z, mass; 56 bytes.
  (global $bodies i32 (i32.const 5))

  ;; Places and masses by a formula: no two bodies in one place, and no one of them heavy enough to dominate.
  (func $place
    (local $body i32) (local $at i32) (local $number f64)
    (loop $next
      (local.set $number (f64.add (f64.convert_i32_u (local.get $body)) (f64.const 1)))
      (f64.store offset=0 (local.get $at) (f64.mul (local.get $number) (f64.const 1.75)))
      (f64.store offset=8 (local.get $at) (f64.div (f64.const 3) (local.get $number)))
      (f64.store offset=16 (local.get $at) (f64.sub (f64.const 2.5) (local.get $number)))
      (f64.store offset=24 (local.get $at) (f64.const 0))
      (f64.store offset=32 (local.get $at) (f64.div (f64.const 0.125) (local.get $number)))
      (f64.store offset=40 (local.get $at) (f64.const -0.0625))
      (f64.store offset=48 (local.get $at) (f64.div (f64.const 1) (f64.add (local.get $number) (f64.const 2))))
      (local.set $at (i32.add (local.get $at) (i32.const 56)))
      (br_if $next
        (i32.lt_u (local.tee $body (i32.add (local.get $body) (i32.const 1))) (global.get $bodies)))))

  ;; Changes the velocity of the body at $at by what pulls it along the distance.
  (func $pull (param $at i32) (param $dx f64) (param $dy f64) (param $dz f64) (param $strength f64)
    (f64.store offset=24 (local.get $at)
      (f64.add (f64.load offset=24 (local.get $at)) (f64.mul (local.get $dx) (local.get $strength))))
    (f64.store offset=32 (local.get $at)
      (f64.add (f64.load offset=32 (local.get $at)) (f64.mul (local.get $dy) (local.get $strength))))
    (f64.store offset=40 (local.get $at)
      (f64.add (f64.load offset=40 (local.get $at)) (f64.mul (local.get $dz) (local.get $strength)))))

  (func $step (param $time f64)
    (local $one i32) (local $other i32) (local $end i32)
    (local $dx f64) (local $dy f64) (local $dz f64) (local $square f64) (local $strength f64)
    (local.set $end (i32.mul (global.get $bodies) (i32.const 56)))
    (loop $ones
      (local.set $other (i32.add (local.get $one) (i32.const 56)))
      (block $paired
        (loop $others
          (br_if $paired (i32.ge_u (local.get $other) (local.get $end)))
          (local.set $dx (f64.sub (f64.load offset=0 (local.get $other)) (f64.load offset=0 (local.get $one))))
          (local.set $dy (f64.sub (f64.load offset=8 (local.get $other)) (f64.load offset=8 (local.get $one))))
          (local.set $dz (f64.sub (f64.load offset=16 (local.get $other)) (f64.load offset=16 (local.get $one))))
          (local.set $square
            (f64.add
              (f64.mul (local.get $dx) (local.get $dx))
              (f64.add
                (f64.mul (local.get $dy) (local.get $dy))
                (f64.mul (local.get $dz) (local.get $dz)))))
          (local.set $strength
            (f64.div
              (local.get $time)
              (f64.mul (local.get $square) (f64.sqrt (local.get $square)))))
          (call $pull (local.get $one) (local.get $dx) (local.get $dy) (local.get $dz)
            (f64.mul (local.get $strength) (f64.load offset=48 (local.get $other))))
          (call $pull (local.get $other) (local.get $dx) (local.get $dy) (local.get $dz)
            (f64.neg (f64.mul (local.get $strength) (f64.load offset=48 (local.get $one)))))
          (local.set $other (i32.add (local.get $other) (i32.const 56)))
          (br $others)))
      (br_if $ones
        (i32.lt_u (local.tee $one (i32.add (local.get $one) (i32.const 56))) (local.get $end))))
    (local.set $one (i32.const 0))
    (loop $move
      (f64.store offset=0 (local.get $one)
        (f64.add
          (f64.load offset=0 (local.get $one))
          (f64.mul (local.get $time) (f64.load offset=24 (local.get $one)))))
      (f64.store offset=8 (local.get $one)
        (f64.add
          (f64.load offset=8 (local.get $one))
          (f64.mul (local.get $time) (f64.load offset=32 (local.get $one)))))
      (f64.store offset=16 (local.get $one)
        (f64.add
          (f64.load offset=16 (local.get $one))
          (f64.mul (local.get $time) (f64.load offset=40 (local.get $one)))))
      (br_if $move
        (i32.lt_u (local.tee $one (i32.add (local.get $one) (i32.const 56))) (local.get $end)))))

  (func (export "run") (param $steps i32) (result i64)
    (local $at i32) (local $sum f64)
    (call $place)
    (loop $next
      (call $step (f64.const 0.0009765625))
      (br_if $next (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (loop $add
      (local.set $sum
        (f64.add
          (local.get $sum)
          (f64.add
            (f64.load offset=0 (local.get $at))
            (f64.add (f64.load offset=8 (local.get $at)) (f64.load offset=16 (local.get $at))))))
      (br_if $add
        (i32.lt_u
          (local.tee $at (i32.add (local.get $at) (i32.const 56)))
          (i32.mul (global.get $bodies) (i32.const 56)))))
    (i64.reinterpret_f64 (local.get $sum))))
