(module
  (table 2 externref)
  (func $f (param externref i32) (result i32)
    local.get 0
    local.get 1
    table.grow))

;; lowered:
;; function 0 f
;; 0x0020  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2F
;;     | 000011  mov [rbp-8],rdi
;;     | 000015  mov [rbp-0x10],esi
;;     | 00002f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0022  local.get 1
;; 0x0024  table.grow 0
;;     | 000018  mov rsi,[rbp-8]
;;     | 00001c  mov edx,[rbp-0x10]
;;     | 00001f  mov ecx,0
;;     | 000024  mov eax,0x28
;;     | 000029  call qword ptr [r15+0x68]
;; 0x0027  )
;;     | 00002d  leave
;;     | 00002e  ret
