;; Byte stores with a stride, byte loads in order: the sieve of Eratosthenes.
;; Result: how many primes are below the argument.
(module
  (memory 64)

  (func (export "run") (param $end i32) (result i64)
    (local $candidate i32) (local $multiple i32) (local $count i64)
    ;; A byte a number, not 0 if it is composite.
    (loop $clear
      (i64.store (local.get $candidate) (i64.const 0))
      (br_if $clear
        (i32.lt_u (local.tee $candidate (i32.add (local.get $candidate) (i32.const 8))) (local.get $end))))
    (local.set $candidate (i32.const 2))
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $candidate)))
        (then
          (local.set $count (i64.add (local.get $count) (i64.const 1)))
          (local.set $multiple (i32.mul (local.get $candidate) (local.get $candidate)))
          ;; Beyond 65,535 the square is not a 32-bit number, and beyond the end all the same.
          (if (i32.lt_u (local.get $candidate) (i32.const 65536))
            (then
              (block $crossed
                (loop $cross
                  (br_if $crossed (i32.ge_u (local.get $multiple) (local.get $end)))
                  (i32.store8 (local.get $multiple) (i32.const 1))
                  (local.set $multiple (i32.add (local.get $multiple) (local.get $candidate)))
                  (br $cross)))))))
      (br_if $next
        (i32.lt_u (local.tee $candidate (i32.add (local.get $candidate) (i32.const 1))) (local.get $end))))
    (local.get $count)))
