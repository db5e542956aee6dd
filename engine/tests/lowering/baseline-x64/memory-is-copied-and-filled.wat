(module
  (memory 1)
  (func $f (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    memory.copy
    local.get 0
    i32.const 0
    local.get 2
    memory.fill))

;; lowered:
;; function 0 f
;; 0x001f  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x60
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x66
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-0x10],esi
;;     | 000018  mov ebx,edi
;;     | 00001a  mov r12d,edx
;;     | 000066  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0021  local.get 1
;; 0x0023  local.get 2
;; 0x0025  memory.copy
;;     | 00001d  mov [rbp-8],ebx
;;     | 000020  mov [rbp-0x18],r12d
;;     | 000024  mov rsi,rbx
;;     | 000027  mov rcx,r12
;;     | 00002a  mov edx,[rbp-0x10]
;;     | 00002d  mov r8d,0
;;     | 000033  mov r9d,0
;;     | 000039  mov eax,0x10
;;     | 00003e  call qword ptr [r15+0x68]
;;     | 000042  mov r14,[r15+0x10]
;; 0x0029  local.get 0
;; 0x002b  i32.const 0
;; 0x002d  local.get 2
;; 0x002f  memory.fill
;;     | 000046  mov esi,[rbp-8]
;;     | 000049  mov edx,0
;;     | 00004e  mov ecx,[rbp-0x18]
;;     | 000051  mov r8d,0
;;     | 000057  mov eax,8
;;     | 00005c  call qword ptr [r15+0x68]
;;     | 000060  mov r14,[r15+0x10]
;; 0x0032  )
;;     | 000064  leave
;;     | 000065  ret
