(module (func (param i32 f64 f64) (result f64)
    (select (local.get 1) (local.get 2) (i32.eqz (local.get 0)))))

;; lowered:
;; function 0 $f0
;; 0x001b  local.get 1
;;     | 000000  enter 12 -> 00000c
;;     | 000001  [s0]:32 = r0
;;     | 000002  [s1]:64 = f0
;;     | 000003  p = arguments
;;     | 000004  f3 = [p+2]:64
;;     | 000005  [s2]:64 = f3
;;     | 00000c  trap  ; call stack exhausted
;; 0x001d  local.get 2
;; 0x001f  local.get 0
;; 0x0021  i32.eqz
;;     | 000006  r2 = [s0]:32
;;     | 000007  t = i32.eqz r2
;; 0x0022  select
;;     | 000008  f1 = [s1]:64
;;     | 000009  f0 = [s2]:64
;;     | 00000a  f1 = t ? f1 : f0
;; 0x0023  )
;;     | 00000b  return
