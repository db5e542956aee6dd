(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    local.get 0
    local.get 1
    i32.gt_u
    select))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  local.get 0
;; 0x0020  local.get 1
;; 0x0022  i32.gt_u
;;     |     0  i32.gt_u s2 <- l0, l1
;; 0x0023  select
;;     |     2  select s0 <- l0, l0, l1
;; 0x0024  )
;;     |     4  return acc
