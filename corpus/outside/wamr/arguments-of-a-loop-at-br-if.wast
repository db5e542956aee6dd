;; WAMR 1.3.2's fast interpreter loses arguments of a loop at a `br_if` back to it (fixed by its pull request 3482). A branch
;; to a loop passes as many values as the loop has parameters (specification, execution of "br").
;; Found by campaigns with `iwasm` as judge.
(module
  (type $four (func (param i64 i64 i32 i64) (result i64 i64 i32 i64)))
  (global (mut i32) (i32.const 0))
  (func (export "f") (param i64 i32 f32) (result i64) (local i32)
    local.get 1
    local.set 3
    local.get 2
    i64.trunc_sat_f32_u
    local.get 1
    if (result i64)
      local.get 0
    else
      unreachable
    end
    local.get 1
    local.get 0
    loop (type $four) (param i64 i64 i32 i64) (result i64 i64 i32 i64)
      local.set 0
      local.set 1
      local.set 0
      local.set 0
      local.get 0
      local.get 0
      local.get 1
      local.get 0
      local.get 3
      i32.const 1
      i32.sub
      local.tee 3
      br_if 0
      local.get 0
      i64.xor
      drop
      drop
      drop
      drop
      local.get 0
      local.get 0
      local.get 1
      local.get 0
    end
    local.get 0
    i64.xor
    drop
    global.set 0
    drop
    drop
    local.get 0))
(assert_return (invoke "f" (i64.const 0) (i32.const 9) (f32.const 0)) (i64.const 0))
