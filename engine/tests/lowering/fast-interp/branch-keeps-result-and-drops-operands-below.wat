(module
  (func $f (param i32) (result i32)
    block (result i32)
      i32.const 10
      i32.const 20
      local.get 0
      br 0
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result i32) ;; label = @1
;; 0x001b  i32.const 10
;; 0x001d  i32.const 20
;; 0x001f  local.get 0
;; 0x0021  br 0 (;@1;)
;;     |     0  copy s0 <- l0
;;     |     2  jump -> 4
;; 0x0023  end
;; 0x0024  )
;;     |     4  return s0
