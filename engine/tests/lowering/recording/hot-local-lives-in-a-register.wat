;;! with: state
;; The loop uses both parameters; the second stays in the register in which it arrives.
(module (func (param i32 i32) (result i32)
    (loop $again
        (local.set 1 (i32.sub (local.get 1) (local.get 0)))
        (br_if $again (local.get 1)))
    (local.get 1)))

;; lowered:
;; function 0 $f0
;; 0x001a  loop $again
;;     | 000000  enter 10 -> 000008
;;     | 000001  r6 = r0:32
;;     | 000002  r4 = r4:32
;;     |         [] local 1 r4, local 0 r6
;;     | 000008  trap  ; call stack exhausted
;; 0x001c  local.get 1
;;     |         [] local 1 r4, local 0 r6
;; 0x001e  local.get 0
;; 0x0020  i32.sub
;;     | 000003  r4 = i32.sub r4, r6
;; 0x0021  local.set 1
;; 0x0023  local.get 1
;; 0x0025  br_if $again
;;     | 000004  t = r4:32 != 0
;;     | 000005  jump if t -> 000003
;; 0x0027  end
;; 0x0028  local.get 1
;;     |         [] local 1 r4, local 0 r6
;; 0x002a  )
;;     | 000006  r2 = r4:32
;;     | 000007  return
