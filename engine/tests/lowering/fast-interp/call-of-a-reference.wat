(module
  (type $t (func (result i32)))
  (func $f (param (ref null $t)) (result i32)
    local.get 0
    call_ref $t))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  call_ref $t
;;     |     0  call_ref s0, l0
;; 0x0022  )
;;     |     3  return acc
