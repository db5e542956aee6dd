;;! with: state
;; A call leaves nothing in registers: the local is stored before it, and loaded when it is read.
(module
    (func $f)
    (func (param i64) (result i64)
        (local.set 0 (i64.add (local.get 0) (local.get 0)))
        (call $f)
        (i64.mul (local.get 0) (local.get 0))))

;; lowered:
;; function 0 f
;; 0x001d
;;     | 000000  enter 6 -> 000002
;;     |         []
;;     | 000001  return
;;     | 000002  trap  ; call stack exhausted
;; function 1 $f1
;; 0x0020  local.get 0
;;     | 000000  enter 9 -> 000008
;;     | 000001  r4 = r0:64
;;     |         [] local 0 r4
;;     | 000008  trap  ; call stack exhausted
;; 0x0022  local.get 0
;; 0x0024  i64.add
;;     | 000002  r4 = i64.add r4, r4
;; 0x0025  local.set 0
;; 0x0027  call $f
;;     | 000003  [s0]:64 = r4
;;     | 000004  call f
;; 0x0029  local.get 0
;; 0x002b  local.get 0
;; 0x002d  i64.mul
;;     | 000005  r4 = [s0]:64
;;     | 000006  r2 = i64.mul r4, r4
;; 0x002e  )
;;     | 000007  return
