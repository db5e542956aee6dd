;;! with: fuel
(module
  (func $f (param i32)
    block
      local.get 0
      br_if 0
      nop
      nop
    end))

;; lowered:
;; function 0 f
;; 0x0018  block ;; label = @1
;;     | entry          charge 2 at 0x001a
;; 0x001a  local.get 0
;; 0x001c  br_if 0 (;@1;)
;;     | br_if          -> 0x0021 stp 3 keep 0 drop 0
;;     | br_if          charge 2 at 0x001e
;; 0x001e  nop
;; 0x001f  nop
;; 0x0020  end
;;     | end            charge 0
;; 0x0021  )
;;     | end            charge 0
