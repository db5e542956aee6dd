(module
  (type $open (sub (func)))
  (table 4 funcref)
  (func $f (param i32)
    local.get 0
    call_indirect (type $open)))

;; lowered:
;; function 0 f
;; 0x0023  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x6B
;;     | 000011  mov [rbp-8],edi
;;     | 00006b  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0025  call_indirect (type $open)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  mov r11,[r15+0x28]
;;     | 00001b  mov r11,[r11]
;;     | 00001e  cmp rax,[r11+8]
;;     | 000022  jae 0x6F
;;     | 000028  mov r11,[r11]
;;     | 00002b  mov rax,[r11+rax*8]
;;     | 00002f  test rax,rax
;;     | 000032  je 0x73
;;     | 000038  shl rax,4
;;     | 00003c  mov r11,[r15+0x38]
;;     | 000040  lea r11,[r11+rax-0x10]
;;     | 000045  mov rax,[r15+0x48]
;;     | 000049  mov eax,[rax]
;;     | 00004b  cmp eax,[r11+8]
;;     | 00004f  jne 0x77
;;     | 000055  mov eax,[r15+0x90]
;;     | 00005c  cmp eax,[r11+0xC]
;;     | 000060  jne 0x85
;;     | 000066  call qword ptr [r11]
;;     | 00006f  call qword ptr [r15+0x60]  ; undefined element
;;     | 000073  call qword ptr [r15+0x60]  ; uninitialized element
;; 0x0028  )
;;     | 000069  leave
;;     | 00006a  ret
;; 0x0029
;;     | 000077  mov eax,0
;;     | 00007c  call qword ptr [r15+0x88]
;;     | 000083  jmp short 0x55
;;     | 000085  call qword ptr [r15+0x70]
;;     | 000089  jmp short 0x69
