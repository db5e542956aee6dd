(module
  (func $f (result i32) (local funcref externref)
    local.get 1
    ref.is_null))

;; lowered:
;; function 0 f
;; 0x001c  local.get 1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x30
;;     | 000011  mov qword ptr [rbp-8],0
;;     | 000019  mov qword ptr [rbp-0x10],0
;;     | 000030  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001e  ref.is_null
;;     | 000021  mov rax,[rbp-0x10]
;;     | 000025  test rax,rax
;;     | 000028  sete al
;;     | 00002b  movzx eax,al
;; 0x001f  )
;;     | 00002e  leave
;;     | 00002f  ret
