;; Calls through a table: each step picks one of eight small functions by bits of what the last one gave.
;; Result: what the last one gave.
(module
  (type $step (func (param i64) (result i64)))
  (table funcref (elem $add $subtract $xor $multiply $left $right $swap $negate))

  (func $add (type $step) (i64.add (local.get 0) (i64.const 0x9e3779b97f4a7c15)))
  (func $subtract (type $step) (i64.sub (local.get 0) (i64.const 0x2545f4914f6cdd1d)))
  (func $xor (type $step) (i64.xor (local.get 0) (i64.const 0x5851f42d4c957f2d)))
  (func $multiply (type $step) (i64.mul (local.get 0) (i64.const 0xd1342543de82ef95)))
  (func $left (type $step) (i64.add (i64.rotl (local.get 0) (i64.const 19)) (i64.const 1)))
  (func $right (type $step) (i64.xor (local.get 0) (i64.shr_u (local.get 0) (i64.const 27))))
  (func $swap (type $step) (i64.add (i64.rotl (local.get 0) (i64.const 32)) (i64.const 3)))
  (func $negate (type $step) (i64.sub (i64.const 7) (local.get 0)))

  (func (export "run") (param $steps i32) (result i64)
    (local $value i64)
    (local.set $value (i64.const 88172645463325252))
    (loop $next
      (local.set $value
        (call_indirect (type $step)
          (local.get $value)
          ;; Some bits from above, the others from the count: a function that changes little cannot call itself for ever.
          (i32.and
            (i32.add (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 41))) (local.get $steps))
            (i32.const 7))))
      (br_if $next (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (local.get $value)))
