;; wasmi 2.0.0: `select` whose condition is a local (or parameter) compared with zero by `i32.eqz`, `i32.eq`
;; or `i32.ne` ignores the local. The translator drops the comparison, but keeps the register of its result as the
;; condition, not the local's slot; what the register holds is whatever was computed last.
;;
;; Specification, "Execution", "Instructions", `select`: if the condition is not zero the first value is kept, else the second.

(module
  (func (export "eqz") (param i32) (result i32)
    (select (i32.const 10) (i32.const 20) (i32.eqz (local.get 0))))
  (func (export "eq") (param i32) (result i32)
    (select (i32.const 10) (i32.const 20) (i32.eq (local.get 0) (i32.const 0))))
  (func (export "ne") (param i32) (result i32)
    (select (i32.const 10) (i32.const 20) (i32.ne (local.get 0) (i32.const 0))))
  (func (export "eqz-i64") (param i32) (result i64)
    (select (i64.const 10) (i64.const 20) (i32.eqz (local.get 0))))
  (func (export "eqz-f64") (param i32) (result f64)
    (select (f64.const 10) (f64.const 20) (i32.eqz (local.get 0))))
  ;; The other value was computed last, so its register decides.
  (func (export "eqz-beside-a-sum") (param i32) (result i32)
    (select (i32.const 10) (i32.add (local.get 0) (i32.const 5)) (i32.eqz (local.get 0))))
  ;; How compilers and generators keep divisors from being zero. Of a divisor of 0 wasmi makes a trap where the
  ;; register held something else.
  (func (export "remainder") (param i32 i32) (result i32)
    (i32.rem_u (local.get 0) (select (i32.const 1) (local.get 1) (i32.eqz (local.get 1)))))
  (func (export "quotient") (param i32 i32 i32) (result i32)
    (i32.div_u (i32.add (local.get 0) (local.get 2))
      (select (i32.const 1) (local.get 1) (i32.eqz (local.get 1)))))
)

(assert_return (invoke "eqz" (i32.const 0)) (i32.const 10))
(assert_return (invoke "eqz" (i32.const 1)) (i32.const 20))
(assert_return (invoke "eq" (i32.const 0)) (i32.const 10))
(assert_return (invoke "eq" (i32.const 1)) (i32.const 20))
(assert_return (invoke "ne" (i32.const 0)) (i32.const 20))
(assert_return (invoke "ne" (i32.const 1)) (i32.const 10))
(assert_return (invoke "eqz-i64" (i32.const 0)) (i64.const 10))
(assert_return (invoke "eqz-i64" (i32.const 1)) (i64.const 20))
(assert_return (invoke "eqz-f64" (i32.const 0)) (f64.const 10))
(assert_return (invoke "eqz-f64" (i32.const 1)) (f64.const 20))
(assert_return (invoke "eqz-beside-a-sum" (i32.const 0)) (i32.const 10))
(assert_return (invoke "eqz-beside-a-sum" (i32.const 1)) (i32.const 6))
(assert_return (invoke "remainder" (i32.const 7) (i32.const 3)) (i32.const 1))
(assert_return (invoke "remainder" (i32.const 7) (i32.const 0)) (i32.const 0))
(assert_return (invoke "quotient" (i32.const 7) (i32.const 0) (i32.const 2)) (i32.const 9))
(assert_return (invoke "quotient" (i32.const 7) (i32.const 3) (i32.const 2)) (i32.const 3))
