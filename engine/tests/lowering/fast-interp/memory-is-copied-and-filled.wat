(module
  (memory 1)
  (func $f (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    memory.copy
    local.get 0
    i32.const 0
    local.get 2
    memory.fill))

;; lowered:
;; function 0 f
;; 0x001f  local.get 0
;; 0x0021  local.get 1
;; 0x0023  local.get 2
;; 0x0025  memory.copy
;;     |     0  copy.3 s0 <- l0, l1, l2
;;     |     2  memory.copy s0, 0x0, 0x0
;; 0x0029  local.get 0
;; 0x002b  i32.const 0
;; 0x002d  local.get 2
;; 0x002f  memory.fill
;;     |     5  copy s0 <- l0
;;     |     7  const s1 <- 0x0
;;     |     9  copy s2 <- l2
;;     |    11  memory.fill s0, 0x0, 0x0
;; 0x0032  )
;;     |    14  return
