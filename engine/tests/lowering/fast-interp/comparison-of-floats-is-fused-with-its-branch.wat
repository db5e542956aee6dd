(module
  (func $f (param f64 f64)
    block
      local.get 0
      local.get 1
      f64.eq
      br_if 0
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0019  block ;; label = @1
;; 0x001b  local.get 0
;; 0x001d  local.get 1
;; 0x001f  f64.eq
;; 0x0020  br_if 0 (;@1;)
;;     |     0  branch if f64.eq l0, l1, -> 4
;; 0x0022  unreachable
;;     |     2  unreachable
;; 0x0023  end
;; 0x0024  )
;;     |     4  return
