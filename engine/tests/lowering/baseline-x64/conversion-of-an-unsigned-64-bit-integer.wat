(module
  (func $f (param i64) (result f64)
    local.get 0
    f64.convert_i64_u))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x48
;;     | 000011  mov [rbp-8],rdi
;;     | 000048  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  f64.convert_i64_u
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  xorps xmm0,xmm0
;;     | 00001c  test rax,rax
;;     | 00001f  js 0x2F
;;     | 000025  cvtsi2sd xmm0,rax
;;     | 00002a  jmp 0x46
;;     | 00002f  mov r11,rax
;;     | 000032  shr rax,1
;;     | 000036  and r11,1
;;     | 00003a  or rax,r11
;;     | 00003d  cvtsi2sd xmm0,rax
;;     | 000042  addsd xmm0,xmm0
;; 0x001c  )
;;     | 000046  leave
;;     | 000047  ret
