;;! with: state
;; Each way out of the table puts the value into the result register before it jumps or returns.
(module (func (param i32) (result i32)
    (block $a (result i32)
        (block $b (result i32)
            (br_table $a $b 2 $b (i32.const 7) (local.get 0)))
        (i32.const 1)
        (i32.add))))

;; lowered:
;; function 0 $f0
;; 0x0019  block $a (result i32)
;;     | 000000  enter 9 -> 00000d
;;     | 000001  [s0]:32 = r0
;;     |         []
;;     | 00000d  trap  ; call stack exhausted
;; 0x001b  block $b (result i32)
;;     |         []
;; 0x001d  i32.const 7
;;     |         []
;; 0x001f  local.get 0
;; 0x0021  br_table $a $b 2 $b
;;     | 000002  r2 = [s0]:32
;;     | 000003  jump by r2 of 3 -> 000006 -> 000004 -> 000006 -> 000008
;;     | 000004  r2 = 0x7
;;     | 000005  jump -> 00000c
;;     | 000006  r2 = 0x7
;;     | 000007  jump -> 00000a
;;     | 000008  r2 = 0x7
;;     | 000009  return
;; 0x0027  end
;; 0x0028  i32.const 1
;;     |         [i32 r2]
;; 0x002a  i32.add
;;     | 00000a  r0 = 0x1
;;     | 00000b  r2 = i32.add r2, r0
;; 0x002b  end
;; 0x002c  )
;;     |         [i32 r2]
;;     | 00000c  return
