(module
  (func $f (param f32 f32) (result f32)
    local.get 0
    local.get 1
    f32.min))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x54
;;     | 000011  movss [rbp-8],xmm0
;;     | 000016  movss [rbp-0x10],xmm1
;;     | 000054  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  f32.min
;;     | 00001b  movss xmm0,[rbp-8]
;;     | 000020  movss xmm1,[rbp-0x10]
;;     | 000025  ucomiss xmm0,xmm1
;;     | 000028  jp 0x3C
;;     | 00002e  jne 0x45
;;     | 000034  orps xmm0,xmm1
;;     | 000037  jmp 0x49
;;     | 00003c  addss xmm0,xmm1
;;     | 000040  jmp 0x49
;;     | 000045  minss xmm0,xmm1
;; 0x001f  )
;;     | 000049  ucomiss xmm0,xmm0
;;     | 00004c  jp 0x58
;;     | 000052  leave
;;     | 000053  ret
;; 0x0020
;;     | 000058  mov r11d,0x7FC00000
;;     | 00005e  movq xmm0,r11
;;     | 000063  jmp short 0x52
