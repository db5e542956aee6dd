(module
  (func $f (param i32) (result i32 i64 i32)
    block (result i32 i64 i32)
      i32.const 1
      i64.const 2
      i32.const 3
      local.get 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0021  block (type 1) (result i32 i64 i32) ;; label = @1
;; 0x0023  i32.const 1
;; 0x0025  i64.const 2
;; 0x0027  i32.const 3
;; 0x0029  local.get 0
;; 0x002b  br_if 0 (;@1;)
;;     | br_if          -> 0x002e stp 1 keep 3 drop 0
;; 0x002d  end
;; 0x002e  )
