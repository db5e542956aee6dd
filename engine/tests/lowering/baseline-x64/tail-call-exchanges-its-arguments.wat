(module
  (func $f (param i32 i32) (result i32)
    local.get 1
    local.get 0
    return_call $f))

;; lowered:
;; function 0 f
;; 0x001a  local.get 1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x23
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000023  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 0
;; 0x001e  return_call $f
;;     | 000017  mov edi,[rbp-0x10]
;;     | 00001a  mov esi,[rbp-8]
;;     | 00001d  leave
;;     | 00001e  jmp f
;; 0x0020  )
