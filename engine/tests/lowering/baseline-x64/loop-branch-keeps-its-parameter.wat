(module
  (func $f (param i32) (result i32)
    local.get 0
    loop (param i32) (result i32)
      i32.const 1
      i32.sub
      local.tee 0
      local.get 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2A
;;     | 000011  mov ebx,edi
;;     | 00002a  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  loop (type 0) (param i32) (result i32) ;; label = @1
;;     | 000013  mov eax,ebx
;; 0x001d  i32.const 1
;; 0x001f  i32.sub
;;     | 000015  mov ebx,eax
;;     | 000017  add ebx,0xFFFFFFFF
;; 0x0020  local.tee 0
;; 0x0022  local.get 0
;; 0x0024  br_if 0 (;@1;)
;;     | 00001a  test ebx,ebx
;;     | 00001c  je 0x26
;;     | 000022  mov eax,ebx
;;     | 000024  jmp short 0x15
;; 0x0026  end
;;     | 000026  mov eax,ebx
;; 0x0027  )
;;     | 000028  leave
;;     | 000029  ret
