(module
  (func $f (param externref) (result externref)
    block (result (ref extern))
      local.get 0
      br_on_non_null 0
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result (ref extern)) ;; label = @1
;; 0x001c  local.get 0
;; 0x001e  br_on_non_null 0 (;@1;)
;;     | br_on_non_null -> 0x0022 stp 1 keep 1 drop 0
;; 0x0020  unreachable
;; 0x0021  end
;; 0x0022  )
