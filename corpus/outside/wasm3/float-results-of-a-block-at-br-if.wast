;; wasm3 (newest of August 2026) mixes up the results of a block of floats after a `br_if` out of it that is not taken. What
;; a block leaves are the operands on top of the stack, in their order (specification, execution of "block"). Its issues
;; 465 and 491 are kin. Found by campaigns with `wasm3` as judge.
(module
  (type $five (func (param f64 f64 f64 f64 f64) (result f64 f64 f64 f64 f64)))
  (global (mut f64) (f64.const 0))
  (func (export "f") (param i32 f64) (result f64)
    local.get 1
    local.get 1
    local.get 1
    local.get 1
    local.get 1
    block (type $five)
      local.set 1
      local.set 1
      local.set 1
      local.set 1
      local.set 1
      local.get 1
      local.get 1
      local.get 1
      local.get 1
      local.get 1
      local.get 0
      br_if 0
      global.set 0
      drop
      local.set 1
      global.set 0
      local.set 1
      local.get 1
      f64.const 0
      local.get 1
      local.get 1
      local.get 1
    end
    global.set 0
    global.set 0
    drop
    global.set 0
    drop
    global.get 0))
(assert_return (invoke "f" (i32.const 0) (f64.const 1)) (f64.const 0))
