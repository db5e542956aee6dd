(module
  (func $f (param i32) (result i64)
    local.get 0
    i32.extend8_s
    i32.extend16_s
    i64.extend_i32_s))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x22
;;     | 000011  mov [rbp-8],edi
;;     | 000022  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.extend8_s
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  movsx eax,al
;; 0x001c  i32.extend16_s
;;     | 00001a  movsx eax,ax
;; 0x001d  i64.extend_i32_s
;;     | 00001d  movsxd rax,eax
;; 0x001e  )
;;     | 000020  leave
;;     | 000021  ret
