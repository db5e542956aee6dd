(module
  (func $f (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    local.get 9
    local.get 8
    local.get 7
    local.get 6
    local.get 5
    local.get 4
    local.get 3
    local.get 2
    local.get 1
    local.get 0
    call $f))

;; lowered:
;; function 0 f
;; 0x0021  local.get 9
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0xD0
;;     | 00000b  cmp rsp,[r15]
;;     | 00000e  jb 0xAF
;;     | 000014  mov [rbp-8],rdi
;;     | 000018  mov [rbp-0x10],rsi
;;     | 00001c  mov [rbp-0x18],rdx
;;     | 000020  mov [rbp-0x20],rcx
;;     | 000024  mov [rbp-0x28],r8
;;     | 000028  mov [rbp-0x30],r9
;;     | 00002c  mov r11,[r15+0x58]
;;     | 000030  mov rax,[r11+0x30]
;;     | 000034  mov [rbp-0x38],rax
;;     | 000038  mov rax,[r11+0x38]
;;     | 00003c  mov [rbp-0x40],rax
;;     | 000040  mov rax,[r11+0x40]
;;     | 000044  mov [rbp-0x48],rax
;;     | 000048  mov rax,[r11+0x48]
;;     | 00004c  mov [rbp-0x50],rax
;;     | 0000af  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0023  local.get 8
;; 0x0025  local.get 7
;; 0x0027  local.get 6
;; 0x0029  local.get 5
;; 0x002b  local.get 4
;; 0x002d  local.get 3
;; 0x002f  local.get 2
;; 0x0031  local.get 1
;; 0x0033  local.get 0
;; 0x0035  call $f
;;     | 000050  mov r11,[r15+0x58]
;;     | 000054  movsd xmm15,[rbp-0x20]
;;     | 00005a  movsd [r11+0x30],xmm15
;;     | 000060  mov r11,[r15+0x58]
;;     | 000064  movsd xmm15,[rbp-0x18]
;;     | 00006a  movsd [r11+0x38],xmm15
;;     | 000070  mov r11,[r15+0x58]
;;     | 000074  movsd xmm15,[rbp-0x10]
;;     | 00007a  movsd [r11+0x40],xmm15
;;     | 000080  mov r11,[r15+0x58]
;;     | 000084  movsd xmm15,[rbp-8]
;;     | 00008a  movsd [r11+0x48],xmm15
;;     | 000090  mov rdi,[rbp-0x50]
;;     | 000094  mov rsi,[rbp-0x48]
;;     | 000098  mov rdx,[rbp-0x40]
;;     | 00009c  mov rcx,[rbp-0x38]
;;     | 0000a0  mov r8,[rbp-0x30]
;;     | 0000a4  mov r9,[rbp-0x28]
;;     | 0000a8  call f
;; 0x0037  )
;;     | 0000ad  leave
;;     | 0000ae  ret
