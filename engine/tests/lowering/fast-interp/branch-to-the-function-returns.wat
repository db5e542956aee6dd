(module
  (func $f (param i32) (result i32)
    local.get 0
    local.get 0
    br_if 0
    i32.const 3
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  local.get 0
;; 0x001d  br_if 0
;;     |     0  branch if i32.eqz l0, -> 4
;;     |     2  return l0
;; 0x001f  i32.const 3
;; 0x0021  i32.add
;;     |     4  i32.add s0 <- l0, 0x3
;; 0x0022  )
;;     |     6  return acc
