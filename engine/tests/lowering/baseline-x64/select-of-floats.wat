(module
  (func $f (param f32 f32 i32) (result f32)
    local.get 0
    local.get 1
    local.get 2
    select))

;; lowered:
;; function 0 f
;; 0x001b  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x60
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x37
;;     | 000011  movss [rbp-8],xmm0
;;     | 000016  movss [rbp-0x10],xmm1
;;     | 00001b  mov [rbp-0x18],edi
;;     | 000037  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001d  local.get 1
;; 0x001f  local.get 2
;; 0x0021  select
;;     | 00001e  movss xmm0,[rbp-8]
;;     | 000023  movss xmm1,[rbp-0x10]
;;     | 000028  cmp dword ptr [rbp-0x18],0
;;     | 00002c  jne 0x35
;;     | 000032  movaps xmm0,xmm1
;; 0x0022  )
;;     | 000035  leave
;;     | 000036  ret
