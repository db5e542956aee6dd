(module
    (type $t (func (param i32) (result i32)))
    (table 4 funcref)
    (func (param i32) (result i32)
        (call_indirect (type $t) (i32.const 9) (local.get 0))))

;; lowered:
;; function 0 $f0
;; 0x001f  i32.const 9
;;     | 000000  enter 9 -> 00000b
;;     | 000001  [s0]:32 = r0
;;     | 00000b  trap  ; call stack exhausted
;; 0x0021  local.get 0
;; 0x0023  call_indirect (type $t)
;;     | 000002  r0 = 0x9
;;     | 000003  r3 = [s0]:32
;;     | 000004  r3 = table 0[r3] -> 00000c
;;     | 000005  jump if r3 is null -> 00000d
;;     | 000006  p = function of r3
;;     | 000007  jump if type of p is not 0 -> 00000e
;;     | 000008  jump if instance of p is another -> 000010
;;     | 000009  call p
;;     | 00000c  trap  ; undefined element
;;     | 00000d  trap  ; uninitialized element
;; 0x0026  )
;;     | 00000a  return
;; 0x0027
;;     | 00000e  check that type of p is below 0
;;     | 00000f  jump -> 000008
;;     | 000010  call p in its instance
;;     | 000011  jump -> 00000a
