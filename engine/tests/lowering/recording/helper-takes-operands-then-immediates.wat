;; Memory 1 is an immediate of the instruction, and the last number that the helper gets.
(module (memory 1) (memory 1) (func (param i32 i32)
    (memory.fill 1 (local.get 0) (local.get 1) (i32.const 16))))

;; lowered:
;; function 0 $f0
;; 0x0020  local.get 0
;;     | 000000  enter 11 -> 00000b
;;     | 000001  m = base of memory 0
;;     | 000002  [s0]:32 = r0
;;     | 000003  [s1]:32 = r4
;;     | 00000b  trap  ; call stack exhausted
;; 0x0022  local.get 1
;; 0x0024  i32.const 16
;; 0x0026  memory.fill 1
;;     | 000004  r0 = [s0]:32
;;     | 000005  r1 = [s1]:32
;;     | 000006  r2 = 0x10
;;     | 000007  r3 = 0x1
;;     | 000008  call MemoryFill
;;     | 000009  m = base of memory 0
;; 0x0029  )
;;     | 00000a  return
