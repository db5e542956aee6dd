;; wasm3 (newest of August 2026) makes a signalling NaN quiet in `f32.copysign`: it gives nan:0x400001. The instruction
;; changes the sign and nothing else, of a NaN too (specification, section 4.3.3, "fcopysign"). Its issue 405 is kin.
;; Found by campaigns with `wasm3` as judge.
(module
  (func (export "f") (result f32)
    (f32.copysign (f32.const nan:0x1) (f32.const 0))))
(assert_return (invoke "f") (f32.const nan:0x1))
