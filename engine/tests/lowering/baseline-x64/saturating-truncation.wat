(module
  (func $f (param f32) (result i64)
    local.get 0
    i64.trunc_sat_f32_u))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0xA6
;;     | 000011  movss [rbp-8],xmm0
;;     | 0000a6  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i64.trunc_sat_f32_u
;;     | 000016  movss xmm0,[rbp-8]
;;     | 00001b  ucomiss xmm0,xmm0
;;     | 00001e  jp 0x89
;;     | 000024  mov r11d,0xBF800000
;;     | 00002a  movd xmm15,r11d
;;     | 00002f  ucomiss xmm0,xmm15
;;     | 000033  jbe 0x93
;;     | 000039  mov r11d,0x5F800000
;;     | 00003f  movd xmm15,r11d
;;     | 000044  ucomiss xmm0,xmm15
;;     | 000048  jae 0x9D
;;     | 00004e  mov r11d,0x5F000000
;;     | 000054  movd xmm15,r11d
;;     | 000059  ucomiss xmm0,xmm15
;;     | 00005d  jae 0x6D
;;     | 000063  cvttss2si rax,xmm0
;;     | 000068  jmp 0x84
;;     | 00006d  subss xmm0,xmm15
;;     | 000072  cvttss2si rax,xmm0
;;     | 000077  mov r11,0x8000000000000000
;;     | 000081  xor rax,r11
;;     | 000084  jmp 0xA4
;;     | 000089  mov eax,0
;;     | 00008e  jmp 0xA4
;;     | 000093  mov eax,0
;;     | 000098  jmp 0xA4
;;     | 00009d  mov rax,0xFFFFFFFFFFFFFFFF
;; 0x001d  )
;;     | 0000a4  leave
;;     | 0000a5  ret
