;;! with: fuel
(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 1
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     |     0  fuel 0x3
;; 0x001b  i32.const 1
;; 0x001d  i32.add
;;     |     2  i32.add s0 <- l0, 0x1
;; 0x001e  )
;;     |     4  return acc
