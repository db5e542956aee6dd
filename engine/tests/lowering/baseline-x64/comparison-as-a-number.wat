(module
  (func $f (param i64 i64) (result i32)
    local.get 0
    local.get 1
    i64.ge_u))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x29
;;     | 000011  mov [rbp-8],rdi
;;     | 000015  mov [rbp-0x10],rsi
;;     | 000029  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i64.ge_u
;;     | 000019  mov rax,[rbp-8]
;;     | 00001d  cmp rax,[rbp-0x10]
;;     | 000021  setae al
;;     | 000024  movzx eax,al
;; 0x001f  )
;;     | 000027  leave
;;     | 000028  ret
