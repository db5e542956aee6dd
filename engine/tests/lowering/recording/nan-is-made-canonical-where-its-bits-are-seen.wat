;; The sum may be any NaN; the multiplication does not look, the store does.
(module (memory 1) (func (param i32 f32 f32)
    (f32.store (local.get 0) (f32.mul (f32.add (local.get 1) (local.get 2)) (local.get 2)))))

;; lowered:
;; function 0 $f0
;; 0x001f  local.get 0
;;     | 000000  enter 12 -> 00000e
;;     | 000001  m = base of memory 0
;;     | 000002  [s0]:32 = r0
;;     | 000003  [s1]:32 = f0
;;     | 000004  p = arguments
;;     | 000005  f3 = [p+2]:32
;;     | 000006  f2 = f3
;;     | 00000e  trap  ; call stack exhausted
;; 0x0021  local.get 1
;; 0x0023  local.get 2
;; 0x0025  f32.add
;;     | 000007  f1 = [s1]:32
;;     | 000008  f1 = f32.add f1, f2
;; 0x0026  local.get 2
;; 0x0028  f32.mul
;;     | 000009  f1 = f32.mul f1, f2
;; 0x0029  f32.store
;;     | 00000a  jump if f1:32 is NaN -> 00000f
;;     | 00000b  r2 = [s0]:32
;;     | 00000c  m0[r2+0x0]:32 = f1  ; may fault: out of bounds memory access
;; 0x002c  )
;;     | 00000d  return
;; 0x002d  )
;;     | 00000f  f1 = NaN:32
;;     | 000010  jump -> 00000b
