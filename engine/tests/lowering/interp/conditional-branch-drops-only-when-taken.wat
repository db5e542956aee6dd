(module
  (func $f (param i32 i32) (result i32)
    block (result i32)
      i32.const 10
      local.get 0
      local.get 1
      br_if 0
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x001a  block (result i32) ;; label = @1
;; 0x001c  i32.const 10
;; 0x001e  local.get 0
;; 0x0020  local.get 1
;; 0x0022  br_if 0 (;@1;)
;;     | br_if          -> 0x0026 stp 1 keep 1 drop 1
;; 0x0024  i32.add
;; 0x0025  end
;; 0x0026  )
