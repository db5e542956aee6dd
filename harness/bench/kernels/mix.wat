;; 64-bit integer arithmetic in locals, no memory, no calls: a counter mixed with multiplications, shifts, rotations
;; and divisions.
;; Result: the last state.
(module
  (func (export "run") (param $steps i32) (result i64)
    (local $counter i64) (local $state i64) (local $mixed i64)
    (local.set $state (i64.const 1))
    (loop $next
      (local.set $counter (i64.add (local.get $counter) (i64.const 0x9e3779b97f4a7c15)))
      (local.set $mixed
        (i64.mul
          (i64.xor (local.get $counter) (i64.shr_u (local.get $counter) (i64.const 30)))
          (i64.const 0xbf58476d1ce4e5b9)))
      (local.set $mixed
        (i64.mul
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 27)))
          (i64.const 0x94d049bb133111eb)))
      (local.set $mixed (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 31))))
      (local.set $state
        (i64.add
          (i64.rotl (local.get $state) (i64.const 5))
          (i64.xor
            (local.get $mixed)
            (i64.rem_u (local.get $state) (i64.or (i64.and (local.get $mixed) (i64.const 1023)) (i64.const 1))))))
      (if (i64.lt_s (local.get $state) (i64.const 0))
        (then (local.set $state (i64.xor (local.get $state) (local.get $counter)))))
      (br_if $next (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (local.get $state)))
