(module
  (func $f (param f64 f64)
    block
      local.get 0
      local.get 1
      f64.eq
      br_if 0
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0019  block ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x3C
;;     | 000011  movsd [rbp-8],xmm0
;;     | 000016  movsd [rbp-0x10],xmm1
;;     | 00003c  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  local.get 0
;; 0x001d  local.get 1
;; 0x001f  f64.eq
;;     | 00001b  movsd xmm0,[rbp-8]
;;     | 000020  movsd xmm1,[rbp-0x10]
;;     | 000025  ucomisd xmm0,xmm1
;; 0x0020  br_if 0 (;@1;)
;;     | 000029  jp 0x35
;;     | 00002f  je 0x3A
;; 0x0022  unreachable
;;     | 000035  jmp 0x40
;;     | 000040  call qword ptr [r15+0x60]  ; unreachable
;; 0x0023  end
;; 0x0024  )
;;     | 00003a  leave
;;     | 00003b  ret
