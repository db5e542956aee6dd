(module
  (func $f (param i32 i64) (result i32)
    local.get 0
    i32.const 1
    i32.add
    local.get 1
    call $f))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  i32.const 1
;; 0x001e  i32.add
;;     |     0  i32.add s0 <- l0, 0x1
;; 0x001f  local.get 1
;; 0x0021  call $f
;;     |     2  copy s1 <- l1
;;     |     4  call s0, 0x0
;; 0x0023  )
;;     |     7  return acc
