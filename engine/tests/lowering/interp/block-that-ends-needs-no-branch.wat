(module
  (func $f (result i32)
    (block (result i32)
      i32.const 1)))

;; lowered:
;; function 0 f
;; 0x0018  block (result i32) ;; label = @1
;; 0x001a  i32.const 1
;; 0x001c  end
;; 0x001d  )
