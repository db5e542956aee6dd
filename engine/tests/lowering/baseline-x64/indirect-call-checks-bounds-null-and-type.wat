(module
  (table 4 funcref)
  (func $f (param i32) (result i32)
    local.get 0
    call_indirect (result i32)))

;; lowered:
;; function 0 f
;; 0x0023  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x6C
;;     | 000011  mov [rbp-8],edi
;;     | 00006c  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0025  call_indirect (type 1)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  mov r11,[r15+0x28]
;;     | 00001b  mov r11,[r11]
;;     | 00001e  cmp rax,[r11+8]
;;     | 000022  jae 0x70
;;     | 000028  mov r11,[r11]
;;     | 00002b  mov rax,[r11+rax*8]
;;     | 00002f  test rax,rax
;;     | 000032  je 0x74
;;     | 000038  shl rax,4
;;     | 00003c  mov r11,[r15+0x38]
;;     | 000040  lea r11,[r11+rax-0x10]
;;     | 000045  mov rax,[r15+0x48]
;;     | 000049  mov eax,[rax+4]
;;     | 00004c  cmp eax,[r11+8]
;;     | 000050  jne 0x78
;;     | 000056  mov eax,[r15+0x90]
;;     | 00005d  cmp eax,[r11+0xC]
;;     | 000061  jne 0x86
;;     | 000067  call qword ptr [r11]
;;     | 000070  call qword ptr [r15+0x60]  ; undefined element
;;     | 000074  call qword ptr [r15+0x60]  ; uninitialized element
;; 0x0028  )
;;     | 00006a  leave
;;     | 00006b  ret
;; 0x0029
;;     | 000078  mov eax,1
;;     | 00007d  call qword ptr [r15+0x88]
;;     | 000084  jmp short 0x56
;;     | 000086  call qword ptr [r15+0x70]
;;     | 00008a  jmp short 0x6A
