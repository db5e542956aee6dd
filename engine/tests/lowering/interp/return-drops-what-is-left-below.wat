(module
  (func $f (param i32) (result i32)
    i32.const 1
    i32.const 2
    block
      local.get 0
      return
    end
    unreachable))

;; lowered:
;; function 0 f
;; 0x0019  i32.const 1
;; 0x001b  i32.const 2
;; 0x001d  block ;; label = @1
;; 0x001f  local.get 0
;; 0x0021  return
;; 0x0022  end
;; 0x0023  unreachable
;; 0x0024  )
