(module
  (func $f 
    unreachable
    if
      nop
    else
      nop
    end))

;; lowered:
;; function 0 f
;; 0x0017  unreachable
;; 0x0018  if ;; label = @1
;;     | if             -> 0x001c stp 2 keep 0 drop 0
;; 0x001a  nop
;; 0x001b  else
;;     | else           -> 0x001e stp 2 keep 0 drop 0
;; 0x001c  nop
;; 0x001d  end
;; 0x001e  )
