(module
  (func $f 
    nop))

;; lowered:
;; function 0 f
;; 0x0017  nop
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x30
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x13
;;     | 000013  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0018  )
;;     | 000011  leave
;;     | 000012  ret
