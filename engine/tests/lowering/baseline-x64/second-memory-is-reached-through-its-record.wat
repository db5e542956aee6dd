(module
  (memory 1)
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    i32.load 1))

;; lowered:
;; function 0 f
;; 0x0020  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x3D
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],edi
;;     | 00003d  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0022  i32.load 1
;;     | 000018  mov rax,[r15+0x30]
;;     | 00001c  mov rax,[rax+8]
;;     | 000020  mov ecx,[rbp-8]
;;     | 000023  lea r11,[rcx+4]
;;     | 000027  cmp r11,[rax+8]
;;     | 00002b  ja 0x41
;;     | 000031  mov rax,[rax]
;;     | 000034  mov ecx,[rax+r11-4]
;;     | 000041  call qword ptr [r15+0x60]  ; out of bounds memory access
;; 0x0026  )
;;     | 000039  mov eax,ecx
;;     | 00003b  leave
;;     | 00003c  ret
