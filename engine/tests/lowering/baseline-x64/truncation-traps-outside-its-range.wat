(module
  (func $f (param f64) (result i32)
    local.get 0
    i32.trunc_f64_s))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x5F
;;     | 000011  movsd [rbp-8],xmm0
;;     | 00005f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.trunc_f64_s
;;     | 000016  movsd xmm0,[rbp-8]
;;     | 00001b  ucomisd xmm0,xmm0
;;     | 00001f  jp 0x63
;;     | 000025  mov r11,0xC1E0000000200000
;;     | 00002f  movq xmm15,r11
;;     | 000034  ucomisd xmm0,xmm15
;;     | 000039  jbe 0x67
;;     | 00003f  mov r11,0x41E0000000000000
;;     | 000049  movq xmm15,r11
;;     | 00004e  ucomisd xmm0,xmm15
;;     | 000053  jae 0x67
;;     | 000059  cvttsd2si eax,xmm0
;;     | 000063  call qword ptr [r15+0x60]  ; invalid conversion to integer
;;     | 000067  call qword ptr [r15+0x60]  ; integer overflow
;; 0x001c  )
;;     | 00005d  leave
;;     | 00005e  ret
