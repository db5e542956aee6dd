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
;;     |     0  fuel 0x2
;; 0x001b  if (result i32) ;; label = @1
;;     |     2  branch if i32.eqz l0, -> 10
;; 0x001d  i32.const 1
;;     |     4  fuel 0x1
;; 0x001f  else
;;     |     6  const s0 <- 0x1
;;     |     8  jump -> 16
;; 0x0020  i32.const 1
;;     |    10  fuel 0x3
;; 0x0022  i32.const 2
;; 0x0024  i32.add
;;     |    12  const s0 <- 0x1
;;     |    14  i32.add s0 <- acc, 0x2
;; 0x0025  end
;; 0x0026  )
;;     |    16  return s0
