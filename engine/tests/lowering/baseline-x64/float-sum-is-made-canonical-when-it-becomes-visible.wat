(module
  (func $f (param f64 f64) (result f64)
    local.get 0
    local.get 1
    f64.add
    local.get 0
    f64.mul))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x34
;;     | 000011  movsd [rbp-0x10],xmm1
;;     | 000016  movaps xmm8,xmm0
;;     | 000034  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  f64.add
;;     | 00001a  movaps xmm0,xmm8
;;     | 00001e  addsd xmm0,[rbp-0x10]
;; 0x001f  local.get 0
;; 0x0021  f64.mul
;;     | 000023  mulsd xmm0,xmm8
;; 0x0022  )
;;     | 000028  ucomisd xmm0,xmm0
;;     | 00002c  jp 0x38
;;     | 000032  leave
;;     | 000033  ret
;; 0x0023
;;     | 000038  mov r11,0x7FF8000000000000
;;     | 000042  movq xmm0,r11
;;     | 000047  jmp short 0x32
