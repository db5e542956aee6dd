(module
  (func $f (param i64 i64) (result i64 i64)
    local.get 0
    local.get 1
    i64.mul_wide_s))

;; lowered:
;; function 0 f
;; 0x001b  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x35
;;     | 000011  mov [rbp-8],rdi
;;     | 000015  mov [rbp-0x10],rsi
;;     | 000035  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001d  local.get 1
;; 0x001f  i64.mul_wide_s
;;     | 000019  mov rcx,[rbp-0x10]
;;     | 00001d  mov rax,[rbp-8]
;;     | 000021  imul rcx
;; 0x0021  )
;;     | 000024  mov r11,[r15+0x58]
;;     | 000028  mov [r11],rax
;;     | 00002b  mov r11,[r15+0x58]
;;     | 00002f  mov [r11+8],rdx
;;     | 000033  leave
;;     | 000034  ret
