(module
  (func $f (param externref)
    local.get 0
    ref.as_non_null
    drop))

;; lowered:
;; function 0 f
;; 0x0018  local.get 0
;; 0x001a  ref.as_non_null
;;     |     0  copy s0 <- l0
;;     |     2  ref.as_non_null s0, 0x0, 0x0
;; 0x001b  drop
;; 0x001c  )
;;     |     5  return
