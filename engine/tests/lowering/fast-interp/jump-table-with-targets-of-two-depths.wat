(module
  (func $f (param i32) (result i32)
    block
      block
        local.get 0
        br_table 0 1 0
      end
      i32.const 1
      return
    end
    i32.const 2))

;; lowered:
;; function 0 f
;; 0x0019  block ;; label = @1
;; 0x001b  block ;; label = @2
;; 0x001d  local.get 0
;; 0x001f  br_table 0 (;@2;) 1 (;@1;) 0 (;@2;)
;;     |     0  br_table l0, 0x3
;; 0x0024  end
;; 0x0025  i32.const 1
;; 0x0027  return
;;     |     4  return 0x1
;; 0x0028  end
;; 0x0029  i32.const 2
;; 0x002b  )
;;     |     7  return 0x2
