(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.eqz
    if (result i32)
      i32.const 1
    else
      i32.const 2
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  i32.eqz
;; 0x001c  if (result i32) ;; label = @1
;;     |     0  branch unless i32.eqz l0, -> 6
;; 0x001e  i32.const 1
;; 0x0020  else
;;     |     2  const s0 <- 0x1
;;     |     4  jump -> 8
;; 0x0021  i32.const 2
;; 0x0023  end
;;     |     6  const s0 <- 0x2
;; 0x0024  )
;;     |     8  return s0
