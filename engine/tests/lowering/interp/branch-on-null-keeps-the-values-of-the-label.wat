(module
  (func $f (param externref) (result i32)
    block (result i32)
      i32.const 4
      local.get 0
      br_on_null 0
      drop
      i32.const 1
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result i32) ;; label = @1
;; 0x001b  i32.const 4
;; 0x001d  local.get 0
;; 0x001f  br_on_null 0 (;@1;)
;;     | br_on_null     -> 0x0026 stp 1 keep 1 drop 0
;; 0x0021  drop
;; 0x0022  i32.const 1
;; 0x0024  i32.add
;; 0x0025  end
;; 0x0026  )
