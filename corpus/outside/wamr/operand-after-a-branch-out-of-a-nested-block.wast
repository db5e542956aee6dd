;; WAMR's fast interpreter (since a change of April 2024, and in the newest of July 2026) reads a wrong operand after
;; `br 1` out of a nested block: it gives another value than the 1 that `table.size` left below the blocks. A branch pops
;; what lies above its label only (specification, execution of "br"). Found by campaigns with `iwasm` as judge.
(module
  (table 1 funcref)
  (func (export "f") (param funcref) (result i32)
    table.size 0
    ref.null extern
    block (result funcref)
      ref.null func
      ref.null extern
      block
        local.get 0
        br 1
      end
      drop
    end
    ref.is_null
    drop
    ref.is_null
    drop))
(assert_return (invoke "f" (ref.null func)) (i32.const 1))
