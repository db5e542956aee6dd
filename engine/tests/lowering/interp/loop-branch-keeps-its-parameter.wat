(module
  (func $f (param i32) (result i32)
    local.get 0
    loop (param i32) (result i32)
      i32.const 1
      i32.sub
      local.tee 0
      local.get 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;; 0x001b  loop (type 0) (param i32) (result i32) ;; label = @1
;; 0x001d  i32.const 1
;; 0x001f  i32.sub
;; 0x0020  local.tee 0
;; 0x0022  local.get 0
;; 0x0024  br_if 0 (;@1;)
;;     | br_if          -> 0x001d stp 0 keep 1 drop 0
;; 0x0026  end
;; 0x0027  )
