;;! with: few-registers
(module (func (param i32) (result i32)
    (loop $again (br_if $again (local.tee 0 (i32.ctz (local.get 0)))))
    (local.get 0)))

;; lowered:
;; function 0 $f0
;; 0x0019  loop $again
;;     | 000000  enter 8 -> 000009
;;     | 000001  [s0]:32 = r0
;;     | 000009  trap  ; call stack exhausted
;; 0x001b  local.get 0
;; 0x001d  i32.ctz
;;     | 000002  r2 = [s0]:32
;;     | 000003  r2 = i32.ctz r2
;; 0x001e  local.tee 0
;;     | 000004  [s0]:32 = r2
;; 0x0020  br_if $again
;;     | 000005  t = r2:32 != 0
;;     | 000006  jump if t -> 000002
;; 0x0022  end
;; 0x0023  local.get 0
;; 0x0025  )
;;     | 000007  r2 = [s0]:32
;;     | 000008  return
