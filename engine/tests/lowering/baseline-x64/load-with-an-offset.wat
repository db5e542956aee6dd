(module
  (memory 1)
  (func $f (param i32) (result i32)
    local.get 0
    i32.load offset=16))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x22
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],edi
;;     | 000022  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  i32.load offset=16
;;     | 000018  mov eax,[rbp-8]
;;     | 00001b  mov eax,[r14+rax+0x10]  ; may fault: out of bounds memory access
;; 0x0023  )
;;     | 000020  leave
;;     | 000021  ret
