(module
  (func $f (param i32)
    block
      local.get 0
      br_table 0
    end))

;; lowered:
;; function 0 f
;; 0x0018  block ;; label = @1
;; 0x001a  local.get 0
;; 0x001c  br_table 0 (;@1;)
;;     | br_table       -> 0x0020 stp 1 keep 0 drop 0
;; 0x001f  end
;; 0x0020  )
