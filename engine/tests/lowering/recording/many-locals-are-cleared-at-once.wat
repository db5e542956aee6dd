(module (func (local i32 i32 i32 i32 i32 i64 i64 i64 i64 f64)))

;; lowered:
;; function 0 $f0
;; 0x001d  )
;;     | 000000  enter 16 -> 000003
;;     | 000001  [s0..s9]:64 = 0
;;     | 000002  return
;;     | 000003  trap  ; call stack exhausted
