(module
  (func $f (param i32)
    block
      loop
        local.get 0
        br_table 0 1
      end
    end))

;; lowered:
;; function 0 f
;; 0x0018  block ;; label = @1
;; 0x001a  loop ;; label = @2
;; 0x001c  local.get 0
;; 0x001e  br_table 0 (;@2;) 1 (;@1;)
;;     | br_table       -> 0x001c stp 0 keep 0 drop 0
;;     | br_table       -> 0x0024 stp 2 keep 0 drop 0
;; 0x0022  end
;; 0x0023  end
;; 0x0024  )
