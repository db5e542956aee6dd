;; wasmi 2.0.0 panics in its dispatch loop, which ends the process, when a function runs that an instance left in a
;; shared table before its instantiation trapped: the function finds no instance behind its handle. Found by campaigns
;; with wasmi as judge.
;;
;; Specification, "Execution", "Modules", "Instantiation": the store keeps what was allocated, and elements that were
;; written before a trap stay written.

(module $owner
  (type $get (func (result i32)))
  (table (export "t") 1 funcref)
  (func (export "call") (result i32) (call_indirect (type $get) (i32.const 0))))
(register "owner" $owner)

(assert_trap
  (module
    (import "owner" "t" (table 1 funcref))
    (global $own (mut i32) (i32.const 7))
    (memory 1)
    (elem (i32.const 0) $get)
    (func $get (result i32) (global.get $own))
    (data (i32.const 65536) "x"))
  "out of bounds memory access")

(assert_return (invoke $owner "call") (i32.const 7))
