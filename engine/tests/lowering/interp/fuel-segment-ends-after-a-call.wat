;;! with: fuel
(module
  (func $f 
    call $f
    call $f))

;; lowered:
;; function 0 f
;; 0x0017  call $f
;;     | entry          charge 1 at 0x0017
;;     | call           charge 1 at 0x0019
;; 0x0019  call $f
;;     | call           charge 0
;; 0x001b  )
;;     | end            charge 0
