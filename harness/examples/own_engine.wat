;; Something for the toy engine beside this file to stumble over.
(module
  (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "shifted") (result i32) (i32.shl (i32.const 1) (i32.const 33))))
