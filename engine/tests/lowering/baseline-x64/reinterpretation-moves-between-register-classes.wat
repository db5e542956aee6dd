(module
  (func $f (param f64) (result i64)
    local.get 0
    i64.reinterpret_f64))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1C
;;     | 000011  movsd [rbp-8],xmm0
;;     | 00001c  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i64.reinterpret_f64
;;     | 000016  mov rax,[rbp-8]
;; 0x001c  )
;;     | 00001a  leave
;;     | 00001b  ret
