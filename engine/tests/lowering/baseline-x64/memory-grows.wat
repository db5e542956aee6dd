(module
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    memory.grow))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2F
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],edi
;;     | 00002f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  memory.grow
;;     | 000018  mov esi,[rbp-8]
;;     | 00001b  mov edx,0
;;     | 000020  mov eax,0
;;     | 000025  call qword ptr [r15+0x68]
;;     | 000029  mov r14,[r15+0x10]
;; 0x0022  )
;;     | 00002d  leave
;;     | 00002e  ret
