(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    local.set 0
    local.set 1
    local.get 0
    local.get 1
    i32.sub))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x25
;;     | 000011  mov ebx,edi
;;     | 000013  mov r12d,esi
;;     | 000025  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  local.set 0
;;     | 000016  mov eax,ebx
;;     | 000018  mov ebx,r12d
;; 0x0020  local.set 1
;;     | 00001b  mov r12d,eax
;; 0x0022  local.get 0
;; 0x0024  local.get 1
;; 0x0026  i32.sub
;;     | 00001e  mov eax,ebx
;;     | 000020  sub eax,r12d
;; 0x0027  )
;;     | 000023  leave
;;     | 000024  ret
