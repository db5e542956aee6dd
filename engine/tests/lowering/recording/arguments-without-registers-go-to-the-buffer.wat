(module
    (func $f (param i32 i64 i32 f32 f64))
    (func (param i64)
        (call $f (i32.const 1) (local.get 0) (i32.const 3) (f32.const 4) (f64.const 5))))

;; lowered:
;; function 0 f
;; 0x0021
;;     | 000000  enter 11 -> 00000a
;;     | 000001  [s0]:32 = r0
;;     | 000002  [s1]:64 = r4
;;     | 000003  [s3]:32 = f0
;;     | 000004  p = arguments
;;     | 000005  r3 = [p+2]:32
;;     | 000006  [s2]:32 = r3
;;     | 000007  f3 = [p+4]:64
;;     | 000008  [s4]:64 = f3
;;     | 000009  return
;;     | 00000a  trap  ; call stack exhausted
;; function 1 $f1
;; 0x0024  i32.const 1
;;     | 000000  enter 12 -> 00000d
;;     | 000001  [s0]:64 = r0
;;     | 00000d  trap  ; call stack exhausted
;; 0x0026  local.get 0
;; 0x0028  i32.const 3
;; 0x002a  f32.const 0x1p+2 (;=4;)
;; 0x002f  f64.const 0x1.4p+2 (;=5;)
;; 0x0038  call $f
;;     | 000002  f3 = 0x3:64
;;     | 000003  p = arguments
;;     | 000004  [p+2]:32 = f3
;;     | 000005  f3 = 0x4014000000000000:64
;;     | 000006  p = arguments
;;     | 000007  [p+4]:64 = f3
;;     | 000008  r0 = 0x1
;;     | 000009  r4 = [s0]:64
;;     | 00000a  f0 = 0x40800000:32
;;     | 00000b  call f
;; 0x003a  )
;;     | 00000c  return
