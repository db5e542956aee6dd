;; wabt 1.0.32 (Debian 12) keeps operands that lie below the arguments of a `return_call`: they stay on the stack of who
;; called, which subtracts from 1 instead of 7 and gives -4. Right since 1.0.42. The specification drops them with the
;; frame: "return_call x" takes the callee's arguments and unwinds the frame (execution of "return_invoke").
;; Found by campaigns with wabt's `wasm-interp` as judge.
(module
  (func (export "f") (result i32)
    (i32.const 7)
    (call $surplus)
    (i32.sub))
  (func $surplus (result i32)
    (i32.const 1)
    (return_call $five))
  (func $five (result i32)
    (i32.const 5)))
(assert_return (invoke "f") (i32.const 2))
