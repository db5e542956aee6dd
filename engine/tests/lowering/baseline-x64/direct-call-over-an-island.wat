;;! with: short-branches
(module
  (func $f 
    call $f))

;; lowered:
;; function 0 f
;; 0x0017  call $f
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x30
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1D
;;     | 000011  call f
;;     | 000018  int3
;;     | 000019  int3
;;     | 00001a  int3
;;     | 00001b  int3
;;     | 00001c  int3
;;     | 00001d  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0019  )
;;     | 000016  leave
;;     | 000017  ret
