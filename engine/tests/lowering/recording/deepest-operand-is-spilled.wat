;;! with: state
;; Four registers hold operands; the fifth operand needs one of them.
(module (func (param i32) (result i32)
    (i32.clz (local.get 0))
    (i32.ctz (local.get 0))
    (i32.popcnt (local.get 0))
    (i32.extend8_s (local.get 0))
    (i32.extend16_s (local.get 0))
    i32.add i32.add i32.add i32.add))

;; lowered:
;; function 0 $f0
;; 0x0019  local.get 0
;;     | 000000  enter 12 -> 00000e
;;     | 000001  r4 = r0:32
;;     |         [] local 0 r4
;;     | 00000e  trap  ; call stack exhausted
;; 0x001b  i32.clz
;;     | 000002  r2 = i32.clz r4
;; 0x001c  local.get 0
;; 0x001e  i32.ctz
;;     | 000003  r0 = i32.ctz r4
;; 0x001f  local.get 0
;; 0x0021  i32.popcnt
;;     | 000004  r3 = i32.popcnt r4
;; 0x0022  local.get 0
;; 0x0024  i32.extend8_s
;;     | 000005  r1 = i32.extend8_s r4
;; 0x0025  local.get 0
;; 0x0027  i32.extend16_s
;;     | 000006  [s1]:32 = r2
;;     | 000007  r2 = i32.extend16_s r4
;; 0x0028  i32.add
;;     | 000008  r2 = i32.add r1, r2
;; 0x0029  i32.add
;;     | 000009  r2 = i32.add r3, r2
;; 0x002a  i32.add
;;     | 00000a  r2 = i32.add r0, r2
;; 0x002b  i32.add
;;     | 00000b  r0 = [s1]:32
;;     | 00000c  r2 = i32.add r0, r2
;; 0x002c  )
;;     | 00000d  return
