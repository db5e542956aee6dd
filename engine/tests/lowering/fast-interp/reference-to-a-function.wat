(module
  (elem declare func $f)
  (func $f (result funcref)
    ref.func $f))

;; lowered:
;; function 0 f
;; 0x001f  ref.func $f
;;     |     0  ref.func s0, 0x0, 0x0
;; 0x0021  )
;;     |     3  return s0
