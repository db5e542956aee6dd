(module
  (table 4 funcref)
  (func $f (param i32) (result i32)
    local.get 0
    local.get 0
    return_call_indirect (param i32) (result i32)))

;; lowered:
;; function 0 f
;; 0x001f  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x6F
;;     | 000011  mov ebx,edi
;;     | 00006f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0021  local.get 0
;; 0x0023  return_call_indirect (type 0)
;;     | 000013  mov [rbp-8],ebx
;;     | 000016  mov rdi,rbx
;;     | 000019  mov rax,rbx
;;     | 00001c  mov r11,[r15+0x28]
;;     | 000020  mov r11,[r11]
;;     | 000023  cmp rax,[r11+8]
;;     | 000027  jae 0x73
;;     | 00002d  mov r11,[r11]
;;     | 000030  mov rax,[r11+rax*8]
;;     | 000034  test rax,rax
;;     | 000037  je 0x77
;;     | 00003d  shl rax,4
;;     | 000041  mov r11,[r15+0x38]
;;     | 000045  lea r11,[r11+rax-0x10]
;;     | 00004a  mov rax,[r15+0x48]
;;     | 00004e  mov eax,[rax]
;;     | 000050  cmp eax,[r11+8]
;;     | 000054  jne 0x7B
;;     | 00005a  mov eax,[r15+0x90]
;;     | 000061  cmp eax,[r11+0xC]
;;     | 000065  jne 0x89
;;     | 00006b  leave
;;     | 00006c  jmp qword ptr [r11]
;;     | 000073  call qword ptr [r15+0x60]  ; undefined element
;;     | 000077  call qword ptr [r15+0x60]  ; uninitialized element
;; 0x0026  )
;; 0x0027
;;     | 00007b  mov eax,0
;;     | 000080  call qword ptr [r15+0x88]
;;     | 000087  jmp short 0x5A
;;     | 000089  leave
;;     | 00008a  jmp qword ptr [r15+0x78]
