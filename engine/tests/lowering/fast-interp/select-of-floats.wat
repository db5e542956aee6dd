(module
  (func $f (param f32 f32 i32) (result f32)
    local.get 0
    local.get 1
    local.get 2
    select))

;; lowered:
;; function 0 f
;; 0x001b  local.get 0
;; 0x001d  local.get 1
;; 0x001f  local.get 2
;; 0x0021  select
;;     |     0  select s0 <- l2, l0, l1
;; 0x0022  )
;;     |     2  return acc
