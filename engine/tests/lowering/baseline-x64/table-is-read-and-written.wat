(module
  (table 2 externref)
  (func $f (param i32)
    local.get 0
    local.get 0
    table.get 0
    table.set 0))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x47
;;     | 000011  mov ebx,edi
;;     | 000047  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  local.get 0
;; 0x0022  table.get 0
;;     | 000013  mov eax,ebx
;;     | 000015  mov r11,[r15+0x28]
;;     | 000019  mov r11,[r11]
;;     | 00001c  cmp rax,[r11+8]
;;     | 000020  jae 0x4B
;;     | 000026  mov r11,[r11]
;;     | 000029  mov rax,[r11+rax*8]
;;     | 00004b  call qword ptr [r15+0x60]  ; out of bounds table access
;; 0x0024  table.set 0
;;     | 00002d  mov r11,[r15+0x28]
;;     | 000031  mov r11,[r11]
;;     | 000034  cmp rbx,[r11+8]
;;     | 000038  jae 0x4F
;;     | 00003e  mov r11,[r11]
;;     | 000041  mov [r11+rbx*8],rax
;;     | 00004f  call qword ptr [r15+0x60]  ; out of bounds table access
;; 0x0026  )
;;     | 000045  leave
;;     | 000046  ret
