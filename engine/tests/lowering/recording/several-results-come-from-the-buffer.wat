(module
    (func $f (result i32 f64) (i32.const 1) (f64.const 2))
    (func (result f64 i32) (local f64)
        (call $f) (f64.sqrt) (local.set 0) (drop) (local.get 0) (i32.trunc_f64_s (local.get 0))))

;; lowered:
;; function 0 f
;; 0x001f  i32.const 1
;;     | 000000  enter 8 -> 000008
;;     | 000008  trap  ; call stack exhausted
;; 0x0021  f64.const 0x1p+1 (;=2;)
;; 0x002a  )
;;     | 000001  f3 = 0x1:64
;;     | 000002  p = arguments
;;     | 000003  [p+0]:32 = f3
;;     | 000004  f3 = 0x4000000000000000:64
;;     | 000005  p = arguments
;;     | 000006  [p+1]:64 = f3
;;     | 000007  return
;; function 1 $f1
;; 0x002f  call $f
;;     | 000000  enter 9 -> 000012
;;     | 000001  f2 = 0x0:64
;;     | 000002  [s0]:64 = f2
;;     | 000003  call f
;;     | 000004  p = arguments
;;     | 000005  f3 = [p+0]:32
;;     | 000006  [s1]:32 = f3
;;     | 000007  f3 = [p+1]:64
;;     | 000008  [s2]:64 = f3
;;     | 000012  trap  ; call stack exhausted
;; 0x0031  f64.sqrt
;;     | 000009  f1 = [s2]:64
;;     | 00000a  f2 = f64.sqrt f1
;;     | 00000b  jump if f2:64 is NaN -> 000013
;; 0x0032  local.set 0
;; 0x0034  drop
;; 0x0035  local.get 0
;; 0x0037  local.get 0
;; 0x0039  i32.trunc_f64_s
;;     | 00000c  r2 = i32.trunc_f64_s f2 -> 000015 -> 000016
;;     | 000013  f2 = NaN:64
;;     | 000014  jump -> 00000c
;;     | 000015  trap  ; invalid conversion to integer
;;     | 000016  trap  ; integer overflow
;; 0x003a  )
;;     | 00000d  p = arguments
;;     | 00000e  [p+0]:64 = f2
;;     | 00000f  p = arguments
;;     | 000010  [p+1]:32 = r2
;;     | 000011  return
