;;! with: explicit-bounds
(module
  (memory 1)
  (func $f (param i32) (result i64)
    local.get 0
    i64.load offset=16))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x30
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],edi
;;     | 000030  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  i64.load offset=16
;;     | 000018  mov eax,[rbp-8]
;;     | 00001b  lea r11,[rax+0x18]
;;     | 00001f  cmp r11,[r15+0x18]
;;     | 000023  ja 0x34
;;     | 000029  mov rax,[r14+r11-8]
;;     | 000034  call qword ptr [r15+0x60]  ; out of bounds memory access
;; 0x0023  )
;;     | 00002e  leave
;;     | 00002f  ret
