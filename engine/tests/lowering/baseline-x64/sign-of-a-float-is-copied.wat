(module
  (func $f (param f64 f64) (result f64)
    local.get 0
    local.get 1
    f64.copysign))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x48
;;     | 000011  movsd [rbp-8],xmm0
;;     | 000016  movsd [rbp-0x10],xmm1
;;     | 000048  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  f64.copysign
;;     | 00001b  movsd xmm0,[rbp-0x10]
;;     | 000020  movsd xmm1,[rbp-8]
;;     | 000025  mov r11,0x7FFFFFFFFFFFFFFF
;;     | 00002f  movq xmm15,r11
;;     | 000034  andpd xmm1,xmm15
;;     | 000039  andnpd xmm15,xmm0
;;     | 00003e  orpd xmm1,xmm15
;; 0x001f  )
;;     | 000043  movaps xmm0,xmm1
;;     | 000046  leave
;;     | 000047  ret
