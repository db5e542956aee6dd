;;! with: state
;; The outcome is not made a number.
(module (func (param i32 i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (local.get 1))
        (then (local.get 0))
        (else (local.get 1)))))

;; lowered:
;; function 0 $f0
;; 0x001a  local.get 0
;;     | 000000  enter 10 -> 000009
;;     | 000001  r6 = r0:32
;;     | 000002  r4 = r4:32
;;     |         [] local 0 r6, local 1 r4
;;     | 000009  trap  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i32.lt_s
;;     | 000003  t = i32.lt_s r6, r4
;; 0x001f  if (result i32) ;; label = @1
;;     | 000004  jump if not t -> 000007
;; 0x0021  local.get 0
;;     |         [] local 0 r6, local 1 r4
;; 0x0023  else
;;     | 000005  r2 = r6:32
;;     | 000006  jump -> 000008
;; 0x0024  local.get 1
;;     |         [] local 0 r6, local 1 r4
;; 0x0026  end
;;     | 000007  r2 = r4:32
;; 0x0027  )
;;     |         [i32 r2] local 0 r6, local 1 r4
;;     | 000008  return
