;; An addition cannot take the outcome.
(module (func (param f64 f64) (result i32)
    (i32.add (f64.lt (local.get 0) (local.get 1)) (f64.ne (local.get 0) (local.get 1)))))

;; lowered:
;; function 0 $f0
;; 0x001a  local.get 0
;;     | 000000  enter 11 -> 00000d
;;     | 000001  f2 = f0
;;     | 000002  p = arguments
;;     | 000003  f3 = [p+1]:64
;;     | 000004  [s1]:64 = f3
;;     | 00000d  trap  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  f64.lt
;;     | 000005  f1 = [s1]:64
;;     | 000006  t = f64.lt f2, f1
;;     | 000007  r2 = t
;; 0x001f  local.get 0
;; 0x0021  local.get 1
;; 0x0023  f64.ne
;;     | 000008  f1 = [s1]:64
;;     | 000009  t = f64.ne f2, f1
;;     | 00000a  r0 = t
;; 0x0024  i32.add
;;     | 00000b  r2 = i32.add r2, r0
;; 0x0025  )
;;     | 00000c  return
