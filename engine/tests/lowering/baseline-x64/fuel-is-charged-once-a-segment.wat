;;! with: fuel
(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 1
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x26
;;     | 000011  mov [rbp-8],edi
;;     | 000014  sub r10,3
;;     | 000018  jb 0x2A
;;     | 000026  call qword ptr [r15+0x60]  ; call stack exhausted
;;     | 00002a  add r10,3
;;     | 00002e  call qword ptr [r15+0x60]  ; out of fuel
;; 0x001b  i32.const 1
;; 0x001d  i32.add
;;     | 00001e  mov eax,[rbp-8]
;;     | 000021  add eax,1
;; 0x001e  )
;;     | 000024  leave
;;     | 000025  ret
