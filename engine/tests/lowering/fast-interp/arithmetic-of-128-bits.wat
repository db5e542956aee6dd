(module
  (func $f (param i64 i64 i64 i64) (result i64 i64)
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    i64.add128))

;; lowered:
;; function 0 f
;; 0x001d  local.get 0
;; 0x001f  local.get 1
;; 0x0021  local.get 2
;; 0x0023  local.get 3
;; 0x0025  i64.add128
;;     |     0  copy.span s0, l0, 0x4
;;     |     3  i64.add128 s0, 0x0, 0x0
;; 0x0027  )
;;     |     6  return 0x200000006
