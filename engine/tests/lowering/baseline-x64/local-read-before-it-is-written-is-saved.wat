(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 7
    local.set 0
    local.get 0
    i32.sub))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov ebx,edi
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 7
;; 0x001d  local.set 0
;;     | 000013  mov eax,ebx
;;     | 000015  mov ebx,7
;; 0x001f  local.get 0
;; 0x0021  i32.sub
;;     | 00001a  sub eax,ebx
;; 0x0022  )
;;     | 00001c  leave
;;     | 00001d  ret
