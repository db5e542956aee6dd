(module
  (func $f (local i64 i64 i64 i64 i64 i64 i64 i64 i64)
    nop))

;; lowered:
;; function 0 f
;; 0x0019  nop
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x78
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x24
;;     | 000011  lea rdi,[rbp-0x48]
;;     | 000015  mov ecx,9
;;     | 00001a  mov eax,0
;;     | 00001f  rep stosq [rdi]
;;     | 000024  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  )
;;     | 000022  leave
;;     | 000023  ret
