(module
  (func $f (param f64 f64) (result f64)
    local.get 0
    local.get 1
    f64.add
    local.get 0
    f64.mul))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  f64.add
;;     |     0  f64.add s0 <- l0, l1
;; 0x001f  local.get 0
;; 0x0021  f64.mul
;;     |     2  f64.mul s0 <- acc, l0
;; 0x0022  )
;;     |     4  return s0
