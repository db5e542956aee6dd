;; A loop around a br_table: an interpreter of a small stack machine, running a program that adds up.
;; Result: what the program leaves, the sum of k * (k ^ 5) for k from the argument down to 1, in 64 bits.
(module
  (memory 1)
  ;; The stack grows from 1024, eight bytes a value; variables lie at 512, eight bytes each.
  ;; 0 halt, 1 N push N, 2 V load V, 3 V store V, 4 add, 5 multiply, 6 xor, 7 subtract,
  ;; 8 T jump to T if the popped value is not 0, 9 do nothing.
  (data (i32.const 0)
    "\01\00\03\01"              ;; 00: sum = 0
    "\02\00\02\00\01\05\06\05"  ;; 04: k * (k ^ 5)
    "\02\01\04\03\01"           ;; 0c: sum = that + sum
    "\09"                       ;; 11
    "\02\00\01\01\07\03\00"     ;; 12: k = k - 1
    "\02\00\08\04"              ;; 19: again, unless it is 0
    "\02\01\00")                ;; 1d: leave the sum

  (func (export "run") (param $count i32) (result i64)
    (local $at i32) (local $top i32) (local $opcode i32) (local $byte i32)
    (i64.store (i32.const 512) (i64.extend_i32_u (local.get $count)))
    (local.set $top (i32.const 1024))
    (loop $next
      (local.set $opcode (i32.load8_u (local.get $at)))
      (local.set $byte (i32.load8_u offset=1 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (block $nothing
        (block $jump
          (block $subtract
            (block $xor
              (block $multiply
                (block $add
                  (block $store
                    (block $load
                      (block $push
                        (block $halt
                          (br_table $halt $push $load $store $add $multiply $xor $subtract $jump $nothing
                            (local.get $opcode)))
                        (return (i64.load (i32.sub (local.get $top) (i32.const 8)))))
                      (i64.store (local.get $top) (i64.extend_i32_u (local.get $byte)))
                      (local.set $top (i32.add (local.get $top) (i32.const 8)))
                      (local.set $at (i32.add (local.get $at) (i32.const 1)))
                      (br $next))
                    (i64.store (local.get $top)
                      (i64.load offset=512 (i32.shl (local.get $byte) (i32.const 3))))
                    (local.set $top (i32.add (local.get $top) (i32.const 8)))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br $next))
                  (local.set $top (i32.sub (local.get $top) (i32.const 8)))
                  (i64.store offset=512 (i32.shl (local.get $byte) (i32.const 3)) (i64.load (local.get $top)))
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (br $next))
                (local.set $top (i32.sub (local.get $top) (i32.const 8)))
                (i64.store (i32.sub (local.get $top) (i32.const 8))
                  (i64.add
                    (i64.load (i32.sub (local.get $top) (i32.const 8)))
                    (i64.load (local.get $top))))
                (br $next))
              (local.set $top (i32.sub (local.get $top) (i32.const 8)))
              (i64.store (i32.sub (local.get $top) (i32.const 8))
                (i64.mul
                  (i64.load (i32.sub (local.get $top) (i32.const 8)))
                  (i64.load (local.get $top))))
              (br $next))
            (local.set $top (i32.sub (local.get $top) (i32.const 8)))
            (i64.store (i32.sub (local.get $top) (i32.const 8))
              (i64.xor
                (i64.load (i32.sub (local.get $top) (i32.const 8)))
                (i64.load (local.get $top))))
            (br $next))
          (local.set $top (i32.sub (local.get $top) (i32.const 8)))
          (i64.store (i32.sub (local.get $top) (i32.const 8))
            (i64.sub
              (i64.load (i32.sub (local.get $top) (i32.const 8)))
              (i64.load (local.get $top))))
          (br $next))
        (local.set $top (i32.sub (local.get $top) (i32.const 8)))
        (local.set $at
          (select
            (i32.add (local.get $at) (i32.const 1))
            (local.get $byte)
            (i64.eqz (i64.load (local.get $top)))))
        (br $next))
      (br $next))
    (unreachable)))
