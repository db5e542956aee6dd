;;! with: fuel
(module
  (func $f (param i32)
    loop
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0018  loop ;; label = @1
;; 0x001a  local.get 0
;;     |     0  fuel 0x5
;; 0x001c  i32.const 1
;; 0x001e  i32.sub
;;     |     2  i32.sub l0 <- l0, 0x1
;; 0x001f  local.tee 0
;; 0x0021  br_if 0 (;@1;)
;;     |     4  branch unless i32.eqz acc, -> 0
;; 0x0023  end
;; 0x0024  )
;;     |     6  return
