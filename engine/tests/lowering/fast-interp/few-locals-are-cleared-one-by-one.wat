(module
  (func $f (result f32) (local i32 f32)
    local.get 1))

;; lowered:
;; function 0 f
;; 0x001c  local.get 1
;; 0x001e  )
;;     |     0  return l1
