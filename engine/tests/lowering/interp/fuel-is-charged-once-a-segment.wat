;;! with: fuel
(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 1
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | entry          charge 3 at 0x0019
;; 0x001b  i32.const 1
;; 0x001d  i32.add
;; 0x001e  )
;;     | end            charge 0
