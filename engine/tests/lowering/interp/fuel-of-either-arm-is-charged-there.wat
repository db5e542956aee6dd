;;! with: fuel
(module
  (func $f (param i32) (result i32)
    local.get 0
    if (result i32)
      i32.const 1
    else
      i32.const 1
      i32.const 2
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | entry          charge 2 at 0x0019
;; 0x001b  if (result i32) ;; label = @1
;;     | if             -> 0x0020 stp 4 keep 0 drop 0
;;     | if             charge 1 at 0x001d
;; 0x001d  i32.const 1
;; 0x001f  else
;;     | else           -> 0x0026 stp 5 keep 1 drop 0
;;     | else           charge 3 at 0x0020
;; 0x0020  i32.const 1
;; 0x0022  i32.const 2
;; 0x0024  i32.add
;; 0x0025  end
;;     | end            charge 0
;; 0x0026  )
;;     | end            charge 0
