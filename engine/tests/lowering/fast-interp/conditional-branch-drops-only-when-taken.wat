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
;;     |     0  branch if i32.eqz l1, -> 6
;;     |     2  copy s0 <- l0
;;     |     4  jump -> 8
;; 0x0024  i32.add
;;     |     6  i32.add s0 <- 0xa, l0
;; 0x0025  end
;; 0x0026  )
;;     |     8  return s0
