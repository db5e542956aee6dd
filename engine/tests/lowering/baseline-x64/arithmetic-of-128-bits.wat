(module
  (func $f (param i64 i64 i64 i64) (result i64 i64)
    local.get 0
    local.get 1
    local.get 2
    local.get 3
    i64.add128))

;; lowered:
;; function 0 f
;; 0x001d  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x70
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x72
;;     | 000011  mov [rbp-8],rdi
;;     | 000015  mov [rbp-0x10],rsi
;;     | 000019  mov [rbp-0x18],rdx
;;     | 00001d  mov [rbp-0x20],rcx
;;     | 000072  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001f  local.get 1
;; 0x0021  local.get 2
;; 0x0023  local.get 3
;; 0x0025  i64.add128
;;     | 000021  movsd xmm15,[rbp-8]
;;     | 000027  movsd [rbp-0x28],xmm15
;;     | 00002d  movsd xmm15,[rbp-0x10]
;;     | 000033  movsd [rbp-0x30],xmm15
;;     | 000039  movsd xmm15,[rbp-0x18]
;;     | 00003f  movsd [rbp-0x38],xmm15
;;     | 000045  movsd xmm15,[rbp-0x20]
;;     | 00004b  movsd [rbp-0x40],xmm15
;;     | 000051  mov rax,[rbp-0x28]
;;     | 000055  mov rcx,[rbp-0x30]
;;     | 000059  add rax,[rbp-0x38]
;;     | 00005d  adc rcx,[rbp-0x40]
;; 0x0027  )
;;     | 000061  mov r11,[r15+0x58]
;;     | 000065  mov [r11],rax
;;     | 000068  mov r11,[r15+0x58]
;;     | 00006c  mov [r11+8],rcx
;;     | 000070  leave
;;     | 000071  ret
