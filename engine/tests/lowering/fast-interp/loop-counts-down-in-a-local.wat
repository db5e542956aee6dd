(module
  (func $f (param i32) (result i32) (local i32)
    loop
      local.get 1
      local.get 0
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end
    local.get 1))

;; lowered:
;; function 0 f
;; 0x001b  loop ;; label = @1
;; 0x001d  local.get 1
;; 0x001f  local.get 0
;; 0x0021  i32.add
;;     |     0  i32.add l1 <- l1, l0
;; 0x0022  local.set 1
;; 0x0024  local.get 0
;; 0x0026  i32.const 1
;; 0x0028  i32.sub
;;     |     2  i32.sub l0 <- l0, 0x1
;; 0x0029  local.tee 0
;; 0x002b  br_if 0 (;@1;)
;;     |     4  branch unless i32.eqz acc, -> 0
;; 0x002d  end
;; 0x002e  local.get 1
;; 0x0030  )
;;     |     6  return l1
