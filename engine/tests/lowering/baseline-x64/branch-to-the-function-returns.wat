(module
  (func $f (param i32) (result i32)
    local.get 0
    local.get 0
    br_if 0
    i32.const 3
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x24
;;     | 000011  mov ebx,edi
;;     | 000024  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  local.get 0
;; 0x001d  br_if 0
;;     | 000013  test ebx,ebx
;;     | 000015  je 0x1F
;;     | 00001b  mov eax,ebx
;;     | 00001d  leave
;;     | 00001e  ret
;; 0x001f  i32.const 3
;; 0x0021  i32.add
;;     | 00001f  lea eax,[rbx+3]
;; 0x0022  )
;;     | 000022  leave
;;     | 000023  ret
