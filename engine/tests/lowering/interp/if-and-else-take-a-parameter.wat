(module
  (func $f (param i32 i32) (result i32)
    local.get 1
    local.get 0
    if (param i32) (result i32)
      i32.const 1
      i32.add
    else
      i32.const 2
      i32.mul
    end))

;; lowered:
;; function 0 f
;; 0x001f  local.get 1
;; 0x0021  local.get 0
;; 0x0023  if (type 1) (param i32) (result i32) ;; label = @1
;;     | if             -> 0x0029 stp 2 keep 1 drop 0
;; 0x0025  i32.const 1
;; 0x0027  i32.add
;; 0x0028  else
;;     | else           -> 0x002d stp 2 keep 1 drop 0
;; 0x0029  i32.const 2
;; 0x002b  i32.mul
;; 0x002c  end
;; 0x002d  )
