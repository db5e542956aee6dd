(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 7
    local.set 0
    local.get 0
    i32.sub))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i32.const 7
;; 0x001d  local.set 0
;;     |     0  copy s0 <- l0
;;     |     2  const l0 <- 0x7
;; 0x001f  local.get 0
;; 0x0021  i32.sub
;;     |     4  i32.sub s0 <- s0, acc
;; 0x0022  )
;;     |     6  return acc
