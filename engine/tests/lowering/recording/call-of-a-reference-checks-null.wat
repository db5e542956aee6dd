(module
    (type $t (func (param i32) (result i32)))
    (func (param (ref null $t)) (result i32)
        (return_call_ref $t (i32.const 9) (local.get 0))))

;; lowered:
;; function 0 $f0
;; 0x001f  i32.const 9
;;     | 000000  enter 9 -> 000008
;;     | 000001  [s0]:64 = r0
;;     | 000008  trap  ; call stack exhausted
;; 0x0021  local.get 0
;; 0x0023  return_call_ref $t
;;     | 000002  r0 = 0x9
;;     | 000003  r3 = [s0]:64
;;     | 000004  jump if r3 is null -> 000009
;;     | 000005  p = function of r3
;;     | 000006  jump if instance of p is another -> 00000a
;;     | 000007  tail call p
;;     | 000009  trap  ; null function reference
;; 0x0025  )
;; 0x0026
;;     | 00000a  tail call p in its instance
