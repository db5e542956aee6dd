;; Data-dependent branches, word loads and stores, recursion: quicksort of pseudo-random 32-bit numbers.
;; Result: a weighted sum of the sorted numbers; -1 if they are not in order.
(module
  (memory 16)

  ;; Sorts the words from $low to $high, both included, by Hoare's partition around the middle.
  (func $sort (param $low i32) (param $high i32)
    (local $left i32) (local $right i32) (local $pivot i32) (local $word i32)
    (local.set $left (local.get $low))
    (local.set $right (local.get $high))
    (local.set $pivot
      (i32.load
        (i32.and (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)) (i32.const -4))))
    (block $parted
      (loop $part
        (block $found
          (loop $seek
            (br_if $found (i32.ge_s (i32.load (local.get $left)) (local.get $pivot)))
            (local.set $left (i32.add (local.get $left) (i32.const 4)))
            (br $seek)))
        (block $found
          (loop $seek
            (br_if $found (i32.le_s (i32.load (local.get $right)) (local.get $pivot)))
            (local.set $right (i32.sub (local.get $right) (i32.const 4)))
            (br $seek)))
        (br_if $parted (i32.gt_s (local.get $left) (local.get $right)))
        (local.set $word (i32.load (local.get $left)))
        (i32.store (local.get $left) (i32.load (local.get $right)))
        (i32.store (local.get $right) (local.get $word))
        (local.set $left (i32.add (local.get $left) (i32.const 4)))
        (local.set $right (i32.sub (local.get $right) (i32.const 4)))
        (br_if $part (i32.le_s (local.get $left) (local.get $right)))))
    (if (i32.lt_s (local.get $low) (local.get $right))
      (then (call $sort (local.get $low) (local.get $right))))
    (if (i32.lt_s (local.get $left) (local.get $high))
      (then (call $sort (local.get $left) (local.get $high)))))

  (func (export "run") (param $count i32) (result i64)
    (local $at i32) (local $end i32) (local $random i32) (local $before i32) (local $word i32) (local $sum i64)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (local.set $random (i32.const 12345))
    (loop $fill
      (local.set $random
        (i32.add (i32.mul (local.get $random) (i32.const 1664525)) (i32.const 1013904223)))
      (i32.store (local.get $at) (i32.xor (local.get $random) (i32.shr_u (local.get $random) (i32.const 13))))
      (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
    (call $sort (i32.const 0) (i32.sub (local.get $end) (i32.const 4)))
    (local.set $at (i32.const 0))
    (local.set $before (i32.const 0x80000000))
    (loop $check
      (local.set $word (i32.load (local.get $at)))
      (if (i32.lt_s (local.get $word) (local.get $before)) (then (return (i64.const -1))))
      (local.set $before (local.get $word))
      (local.set $sum
        (i64.add
          (local.get $sum)
          (i64.mul (i64.extend_i32_s (local.get $word)) (i64.extend_i32_u (local.get $at)))))
      (br_if $check (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
    (local.get $sum)))
