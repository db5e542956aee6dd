;;! with: fuel
(module
  (func $f 
    call $f
    call $f))

;; lowered:
;; function 0 f
;; 0x0017  call $f
;;     |     0  fuel 0x1
;;     |     2  call s0, 0x0
;; 0x0019  call $f
;;     |     5  fuel 0x1
;;     |     7  call s0, 0x0
;; 0x001b  )
;;     |    10  return
