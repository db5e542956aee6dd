(module
  (func $f (result f32) (local i32 f32)
    local.get 1))

;; lowered:
;; function 0 f
;; 0x001c  local.get 1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x28
;;     | 000011  mov qword ptr [rbp-8],0
;;     | 000019  mov qword ptr [rbp-0x10],0
;;     | 000028  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001e  )
;;     | 000021  movss xmm0,[rbp-0x10]
;;     | 000026  leave
;;     | 000027  ret
