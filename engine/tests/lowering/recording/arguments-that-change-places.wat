;; The first argument is where the second belongs, and the other way round: a third register breaks the cycle.
(module
    (func $f (param i32 i32))
    (func (param i32 i32) (result i32)
        (local.set 1 (i32.add (local.get 1) (local.get 1)))
        (i32.clz (local.get 0))
        (call $f (local.get 1) (i32.ctz (local.get 0)))))

;; lowered:
;; function 0 f
;; 0x0020
;;     | 000000  enter 8 -> 000004
;;     | 000001  [s0]:32 = r0
;;     | 000002  [s1]:32 = r4
;;     | 000003  return
;;     | 000004  trap  ; call stack exhausted
;; function 1 $f1
;; 0x0023  local.get 1
;;     | 000000  enter 11 -> 000010
;;     | 000001  [s0]:32 = r0
;;     | 000002  r4 = r4:32
;;     | 000010  trap  ; call stack exhausted
;; 0x0025  local.get 1
;; 0x0027  i32.add
;;     | 000003  r4 = i32.add r4, r4
;; 0x0028  local.set 1
;; 0x002a  local.get 0
;; 0x002c  i32.clz
;;     | 000004  r2 = [s0]:32
;;     | 000005  r2 = i32.clz r2
;; 0x002d  local.get 1
;; 0x002f  local.get 0
;; 0x0031  i32.ctz
;;     | 000006  r0 = [s0]:32
;;     | 000007  r0 = i32.ctz r0
;; 0x0032  call $f
;;     | 000008  [s2]:32 = r2
;;     | 000009  [s1]:32 = r4
;;     | 00000a  p = r0
;;     | 00000b  r0 = r4:64
;;     | 00000c  r4 = p
;;     | 00000d  call f
;; 0x0034  )
;;     | 00000e  r2 = [s2]:32
;;     | 00000f  return
