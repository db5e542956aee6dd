;; A memory that grows a page at a time keeps what was written, in every lane. With memory that moves on
;; every growth, each place that was left was once kept until the end, and filled the machine.
(module
  (memory 1 600)
  (func (export "grow") (param $times i32) (result i32)
    (loop $again
      ;; A mark in the last word of every page, then one page more.
      (i32.store
        (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))
        (memory.size))
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (memory.size))))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (memory.size))
  (func (export "marks") (result i32) (local $page i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum)
        (i32.load (i32.add (i32.mul (local.get $page) (i32.const 65536)) (i32.const 65532)))))
      (br_if $again
        (i32.lt_u (local.tee $page (i32.add (local.get $page) (i32.const 1))) (memory.size))))
    (local.get $sum)))
(assert_return (invoke "grow" (i32.const 299)) (i32.const 300))
(assert_return (invoke "marks") (i32.const 44850))
(assert_return (invoke "grow" (i32.const 1000)) (i32.const 600))
(assert_return (invoke "marks") (i32.const 180300))
