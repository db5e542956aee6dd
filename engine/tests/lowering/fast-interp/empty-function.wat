(module
  (func $f 
    nop))

;; lowered:
;; function 0 f
;; 0x0017  nop
;; 0x0018  )
;;     |     0  return
