;; wasm3 (0.5 to the newest of August 2026) cuts an `i64` parameter to its lower half when it is read twice and then set: it
;; leaves 0xffffffff in the global. `local.get` pushes the value, all of it (specification, execution of "local.get").
;; Known there as pull request 468, which was closed. Found by campaigns with `wasm3` as judge.
(module
  (global (export "g") (mut i64) (i64.const 0))
  (global (mut i32) (i32.const 0))
  (func (export "f") (param i64)
    local.get 0
    local.get 0
    local.set 0
    global.get 1
    drop
    global.set 0))
(assert_return (invoke "f" (i64.const -1)))
(assert_return (get "g") (i64.const -1))
