(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    local.get 0
    local.get 1
    i32.gt_u
    select))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x60
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x21
;;     | 000011  mov ebx,edi
;;     | 000013  mov r12d,esi
;;     | 000021  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  local.get 0
;; 0x0020  local.get 1
;; 0x0022  i32.gt_u
;;     | 000016  cmp ebx,r12d
;; 0x0023  select
;;     | 000019  mov eax,ebx
;;     | 00001b  cmovbe eax,r12d
;; 0x0024  )
;;     | 00001f  leave
;;     | 000020  ret
