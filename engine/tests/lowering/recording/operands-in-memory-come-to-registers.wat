;; This machine has neither operands in memory nor immediates.
(module (func (param i32 i32) (result i32)
    (i32.sub (i32.mul (local.get 0) (local.get 1)) (i32.const 7))))

;; lowered:
;; function 0 $f0
;; 0x001a  local.get 0
;;     | 000000  enter 10 -> 000009
;;     | 000001  [s0]:32 = r0
;;     | 000002  [s1]:32 = r4
;;     | 000009  trap  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i32.mul
;;     | 000003  r2 = [s1]:32
;;     | 000004  r0 = [s0]:32
;;     | 000005  r2 = i32.mul r0, r2
;; 0x001f  i32.const 7
;; 0x0021  i32.sub
;;     | 000006  r0 = 0x7
;;     | 000007  r2 = i32.sub r2, r0
;; 0x0022  )
;;     | 000008  return
