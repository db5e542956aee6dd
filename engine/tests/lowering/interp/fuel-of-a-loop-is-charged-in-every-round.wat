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
;;     | entry          charge 0
;;     | loop           charge 5 at 0x001a
;; 0x001a  local.get 0
;; 0x001c  i32.const 1
;; 0x001e  i32.sub
;; 0x001f  local.tee 0
;; 0x0021  br_if 0 (;@1;)
;;     | br_if          -> 0x001a stp 1 keep 0 drop 0
;;     | br_if          charge 0
;; 0x0023  end
;;     | end            charge 0
;; 0x0024  )
;;     | end            charge 0
