;; V8 11.3.244.8 (in node 20.20.2) gives 4575657221408423936, the bits of the f32 in the upper half, and not 0: a branch
;; back to a loop that carries six operands mixes them up where it also looks whether to compile the function better.
;; With either of its compilers alone (`v8-liftoff`, `v8-turbofan`) it gives 0, and so does V8 13.6.233.17. A branch to a
;; loop leaves the operands that it carries as the loop's parameters ("br l" in the specification's chapter Execution).
;; Found by `fuzz --seed 3 --cases 20000 --with wasmi,wasmtime,v8` as case 19356.
(module
  (type (func))
  (type (func (param i32) (result i64)))
  (type (func (param i64 i64 f32 i64 i64 i64) (result i64 i64 f32 i64 i64 i64)))
  (global (mut i64) i64.const 0)
  (global (mut i64) i64.const 0)
  (export "e1" (func 1))
  (func (type 0))
  (func (type 1) (param i32) (result i64)
    (local i64 f32)
    i32.const 2
    local.set 0
    i64.const 0
    local.get 1
    f32.const 0x1p+0
    local.get 1
    local.get 1
    call 0
    local.get 1
    loop (type 2) (param i64 i64 f32 i64 i64 i64) (result i64 i64 f32 i64 i64 i64)
      local.set 1
      local.set 1
      local.set 1
      local.set 2
      local.set 1
      local.set 1
      local.get 1
      local.get 1
      i64.rotl
      drop
      i64.const 0
      local.get 1
      local.get 0
      select
      global.get 1
      local.get 1
      local.get 1
      local.get 2
      local.get 1
      local.get 1
      local.get 1
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
      drop
      global.set 1
      drop
      drop
      drop
      global.set 0
      local.get 2
      local.get 1
      local.get 1
      local.get 1
    end
    drop
    global.set 0
    local.set 1
    local.set 2
    drop
    drop
    local.get 1
  )
)
(assert_return (invoke "e1" (i32.const 0)) (i64.const 0))
