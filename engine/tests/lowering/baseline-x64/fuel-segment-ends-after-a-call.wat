;;! with: fuel
(module
  (func $f 
    call $f
    call $f))

;; lowered:
;; function 0 f
;; 0x0017  call $f
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x30
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x31
;;     | 000011  sub r10,1
;;     | 000015  jb 0x35
;;     | 00001b  call f
;;     | 000031  call qword ptr [r15+0x60]  ; call stack exhausted
;;     | 000035  add r10,1
;;     | 000039  call qword ptr [r15+0x60]  ; out of fuel
;; 0x0019  call $f
;;     | 000020  sub r10,1
;;     | 000024  jb 0x3D
;;     | 00002a  call f
;;     | 00003d  add r10,1
;;     | 000041  call qword ptr [r15+0x60]  ; out of fuel
;; 0x001b  )
;;     | 00002f  leave
;;     | 000030  ret
