(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.mul
    local.set 0
    local.get 0))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov [rbp-0x10],esi
;;     | 000014  mov ebx,edi
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i32.mul
;;     | 000016  imul ebx,[rbp-0x10]
;; 0x001f  local.set 0
;; 0x0021  local.get 0
;; 0x0023  )
;;     | 00001a  mov eax,ebx
;;     | 00001c  leave
;;     | 00001d  ret
