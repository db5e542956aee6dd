(module
  (func $f (result i32)
    block (result i32)
      i32.const 1
      br 0
      i32.const 2
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0018  block (result i32) ;; label = @1
;; 0x001a  i32.const 1
;; 0x001c  br 0 (;@1;)
;;     |     0  const s0 <- 0x1
;;     |     2  jump -> 4
;; 0x001e  i32.const 2
;; 0x0020  i32.add
;; 0x0021  end
;; 0x0022  )
;;     |     4  return s0
