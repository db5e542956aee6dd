(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    if (result i32)
      local.get 1
    else
      i32.const 7
    end))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  if (result i32) ;; label = @1
;;     | if             -> 0x0021 stp 2 keep 0 drop 0
;; 0x001e  local.get 1
;; 0x0020  else
;;     | else           -> 0x0024 stp 2 keep 1 drop 0
;; 0x0021  i32.const 7
;; 0x0023  end
;; 0x0024  )
