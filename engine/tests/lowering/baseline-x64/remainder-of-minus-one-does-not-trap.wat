(module
  (func $f (param i64 i64) (result i64)
    local.get 0
    local.get 1
    i64.rem_s))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x43
;;     | 000011  mov [rbp-8],rdi
;;     | 000015  mov [rbp-0x10],rsi
;;     | 000043  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i64.rem_s
;;     | 000019  mov rcx,[rbp-0x10]
;;     | 00001d  mov rax,[rbp-8]
;;     | 000021  test rcx,rcx
;;     | 000024  je 0x47
;;     | 00002a  cmp rcx,0xFFFFFFFFFFFFFFFF
;;     | 00002e  mov edx,0
;;     | 000033  je 0x3E
;;     | 000039  cqo
;;     | 00003b  idiv rcx
;;     | 000047  call qword ptr [r15+0x60]  ; integer divide by zero
;; 0x001f  )
;;     | 00003e  mov rax,rdx
;;     | 000041  leave
;;     | 000042  ret
