(module
  (func $f (param i32) (result i32)
    block (result i32)
      block (result i32)
        i32.const 5
        local.get 0
        br_table 1 0
      end
      i32.const 1
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result i32) ;; label = @1
;; 0x001b  block (result i32) ;; label = @2
;; 0x001d  i32.const 5
;; 0x001f  local.get 0
;; 0x0021  br_table 1 (;@1;) 0 (;@2;)
;;     | br_table       -> 0x002a stp 2 keep 1 drop 0
;;     | br_table       -> 0x0026 stp 2 keep 1 drop 0
;; 0x0025  end
;; 0x0026  i32.const 1
;; 0x0028  i32.add
;; 0x0029  end
;; 0x002a  )
