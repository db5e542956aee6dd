;; wasm3 (newest of August 2026) mixes up the values that `br_table` carries out of a block with floats among its results: it
;; gives 1. A branch leaves the values in their order (specification, execution of "br"). Its issues 465 and 491 are kin.
;; Found by campaigns with `wasm3` as judge.
(module
  (global (mut f64) (f64.const 0))
  (func (export "f") (param i32) (result i32) (local f32 f64)
    block (result f32 f64 f64 f64 f64 f32)
      local.get 1
      local.get 2
      local.get 2
      local.get 0
      f64.convert_i32_s
      block
      end
      local.get 2
      local.get 1
      local.get 0
      br_table 0
    end
    i32.reinterpret_f32
    drop
    global.set 0
    drop
    drop
    drop
    drop
    global.get 0
    i32.trunc_sat_f64_u))
(assert_return (invoke "f" (i32.const 1)) (i32.const 0))
