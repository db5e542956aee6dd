;; Memory 0 is guarded and the access may fault; the bounds of memory 1 are compared.
(module (memory 1) (memory 1) (func (param i32) (result i32)
    (i32.add (i32.load8_s offset=4 (local.get 0)) (i32.load 1 (local.get 0)))))

;; lowered:
;; function 0 $f0
;; 0x0020  local.get 0
;;     | 000000  enter 9 -> 000007
;;     | 000001  m = base of memory 0
;;     | 000002  r4 = r0:32
;;     | 000007  trap  ; call stack exhausted
;; 0x0022  i32.load8_s offset=4
;;     | 000003  r2 = m0[r4+0x4]:8s  ; may fault: out of bounds memory access
;; 0x0025  local.get 0
;; 0x0027  i32.load 1
;;     | 000004  r0 = m1[r4+0x0]:32 -> 000008
;;     | 000008  trap  ; out of bounds memory access
;; 0x002b  i32.add
;;     | 000005  r2 = i32.add r2, r0
;; 0x002c  )
;;     | 000006  return
