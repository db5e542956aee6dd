;; WAMR 1.3.2's fast interpreter begins a local of type `funcref` as function 0 instead of null. The default value of a
;; reference type that has null is null (specification, runtime structure, "Values"); its issue 3391 is this fault.
;; Found by campaigns with `iwasm` as judge.
(module
  (func (export "f") (result funcref) (local funcref)
    (local.get 0)))
(assert_return (invoke "f") (ref.null func))
