(module
  (func $first (param i32)
    block
      local.get 0
      br_if 0
    end)
  (func $second (param i32)
    block
      local.get 0
      br_if 0
    end))

;; lowered:
;; function 0 first
;; 0x0019  block ;; label = @1
;; 0x001b  local.get 0
;; 0x001d  br_if 0 (;@1;)
;;     | br_if          -> 0x0020 stp 1 keep 0 drop 0
;; 0x001f  end
;; 0x0020  )
;; function 1 second
;; 0x0023  block ;; label = @1
;; 0x0025  local.get 0
;; 0x0027  br_if 0 (;@1;)
;;     | br_if          -> 0x002a stp 1 keep 0 drop 0
;; 0x0029  end
;; 0x002a  )
