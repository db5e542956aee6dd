(module
  (func $f (param i64) (result i64)
    local.get 0
    i64.const 0x123456789abcdef
    i64.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x28
;;     | 000011  mov [rbp-8],rdi
;;     | 000028  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i64.const 81985529216486895
;; 0x0025  i64.add
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  mov rcx,0x123456789ABCDEF
;;     | 000023  add rax,rcx
;; 0x0026  )
;;     | 000026  leave
;;     | 000027  ret
