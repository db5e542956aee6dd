(module
  (memory 1)
  (func $f (param i32)
    local.get 0
    i32.const 42
    i32.store8 offset=3))

;; lowered:
;; function 0 f
;; 0x001d  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x27
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],edi
;;     | 000027  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001f  i32.const 42
;; 0x0021  i32.store8 offset=3
;;     | 000018  mov eax,0x2A
;;     | 00001d  mov ecx,[rbp-8]
;;     | 000020  mov [r14+rcx+3],al  ; may fault: out of bounds memory access
;; 0x0024  )
;;     | 000025  leave
;;     | 000026  ret
