(module
  (func $f (param externref)
    local.get 0
    ref.as_non_null
    drop))

;; lowered:
;; function 0 f
;; 0x0018  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x24
;;     | 000011  mov [rbp-8],rdi
;;     | 000024  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  ref.as_non_null
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  test rax,rax
;;     | 00001c  je 0x28
;;     | 000028  call qword ptr [r15+0x60]  ; null reference
;; 0x001b  drop
;; 0x001c  )
;;     | 000022  leave
;;     | 000023  ret
