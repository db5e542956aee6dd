(module
  (memory i64 1)
  (func $f (param i64) (result f64)
    local.get 0
    f64.load offset=0x100000000))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x43
;;     | 000011  mov r14,[r15+0x10]
;;     | 000015  mov [rbp-8],rdi
;;     | 000043  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  f64.load offset=4294967296
;;     | 000019  mov rax,[rbp-8]
;;     | 00001d  mov r11,0x100000008
;;     | 000027  add r11,rax
;;     | 00002a  jb 0x47
;;     | 000030  cmp r11,[r15+0x18]
;;     | 000034  ja 0x47
;;     | 00003a  movsd xmm0,[r14+r11-8]
;;     | 000047  call qword ptr [r15+0x60]  ; out of bounds memory access
;; 0x0027  )
;;     | 000041  leave
;;     | 000042  ret
