(module
  (func $f (param i32 i32) (result i32)
    local.get 1
    local.get 0
    return_call $f))

;; lowered:
;; function 0 f
;; 0x001a  local.get 1
;; 0x001c  local.get 0
;; 0x001e  return_call $f
;;     |     0  copy.2 s0 <- l1, l0
;;     |     2  return_call s0, 0x0
;; 0x0020  )
