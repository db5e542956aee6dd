(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    block (param i32 i32) (result i32)
      i32.sub
    end))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;; 0x001c  local.get 1
;; 0x001e  block (type 0) (param i32 i32) (result i32) ;; label = @1
;; 0x0020  i32.sub
;; 0x0021  end
;; 0x0022  )
