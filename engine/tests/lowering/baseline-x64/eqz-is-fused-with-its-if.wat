(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.eqz
    if (result i32)
      i32.const 1
    else
      i32.const 2
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2F
;;     | 000011  mov [rbp-8],edi
;;     | 00002f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.eqz
;;     | 000014  cmp dword ptr [rbp-8],0
;; 0x001c  if (result i32) ;; label = @1
;;     | 000018  jne 0x28
;; 0x001e  i32.const 1
;; 0x0020  else
;;     | 00001e  mov eax,1
;;     | 000023  jmp 0x2D
;; 0x0021  i32.const 2
;; 0x0023  end
;;     | 000028  mov eax,2
;; 0x0024  )
;;     | 00002d  leave
;;     | 00002e  ret
