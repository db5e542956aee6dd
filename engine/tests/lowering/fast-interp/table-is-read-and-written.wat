(module
  (table 2 externref)
  (func $f (param i32)
    local.get 0
    local.get 0
    table.get 0
    table.set 0))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;; 0x0020  local.get 0
;; 0x0022  table.get 0
;;     |     0  copy s1 <- l0
;;     |     2  table.get s1, 0x0, 0x0
;; 0x0024  table.set 0
;;     |     5  copy s0 <- l0
;;     |     7  table.set s0, 0x0, 0x0
;; 0x0026  )
;;     |    10  return
