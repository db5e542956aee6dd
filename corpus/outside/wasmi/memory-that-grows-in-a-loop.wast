;; wasmi 2.0.0 with its default dispatch, on x86-64 with rustc 1.95 at opt-level 3: the handler of `memory.grow`
;; goes on by a call that is not a tail call, so each execution leaves a frame on the native stack. This loop ends the
;; process by overflowing it. (With the feature `portable-dispatch` it passes.)
;;
;; Specification, "Execution", "Instructions", `memory.grow`: -1 if growing fails, and execution continues.

(module
  (memory 1 1)
  (func (export "grow") (param $rounds i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (memory.grow (local.get $rounds))))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $again (local.get $rounds)))
    (local.get $sum))
)

(assert_return (invoke "grow" (i32.const 1000000)) (i32.const -1000000))
