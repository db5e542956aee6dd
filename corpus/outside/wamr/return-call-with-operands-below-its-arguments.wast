;; WAMR's fast JIT (1.3.2, and the newest of July 2026) writes past a buffer of its own (AddressSanitizer: heap overflow)
;; when it compiles a `return_call` below whose arguments operands lie. Such a call is valid: it is stack-polymorphic
;; (specification, validation of "return_call"). The recursion is compiled and never called.
;; Found by campaigns with `iwasm` as judge.
(module
  (func $never (result i32) (local i32)
    local.get 0
    f32.const 0
    local.get 0
    return_call $never)
  (func (export "f") (result i32)
    (i32.const 7)))
(assert_return (invoke "f") (i32.const 7))
