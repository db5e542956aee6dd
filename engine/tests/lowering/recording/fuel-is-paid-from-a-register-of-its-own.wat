;;! with: fuel
;; The fuel has one of the two registers for locals, so only one parameter lives in a register.
(module (func (param i32 i32 i32) (result i32)
    (loop $again
        (br_if $again (i32.add (i32.add (local.get 0) (local.get 1)) (local.get 2))))
    (local.get 2)))

;; lowered:
;; function 0 $f0
;; 0x001b  loop $again
;;     | 000000  enter 11 -> 000010
;;     | 000001  [s0]:32 = r0
;;     | 000002  [s1]:32 = r4
;;     | 000003  p = arguments
;;     | 000004  r3 = [p+2]:32
;;     | 000005  r4 = r3:32
;;     | 000010  trap  ; call stack exhausted
;; 0x001d  local.get 0
;;     | 000006  r6 -= 6 -> 000011
;;     | 000011  r6 += 6
;;     | 000012  trap  ; out of fuel
;; 0x001f  local.get 1
;; 0x0021  i32.add
;;     | 000007  r2 = [s1]:32
;;     | 000008  r0 = [s0]:32
;;     | 000009  r2 = i32.add r0, r2
;; 0x0022  local.get 2
;; 0x0024  i32.add
;;     | 00000a  r2 = i32.add r2, r4
;; 0x0025  br_if $again
;;     | 00000b  t = r2:32 != 0
;;     | 00000c  jump if t -> 000006
;; 0x0027  end
;; 0x0028  local.get 2
;;     | 00000d  r6 -= 1 -> 000013
;;     | 000013  r6 += 1
;;     | 000014  trap  ; out of fuel
;; 0x002a  )
;;     | 00000e  r2 = r4:32
;;     | 00000f  return
