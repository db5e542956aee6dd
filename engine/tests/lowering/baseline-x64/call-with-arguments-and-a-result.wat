(module
  (func $f (param i32 i64) (result i32)
    local.get 0
    i32.const 1
    i32.add
    local.get 1
    call $f))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2C
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],rsi
;;     | 00002c  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  i32.const 1
;; 0x001e  i32.add
;;     | 000018  mov eax,[rbp-8]
;;     | 00001b  add eax,1
;; 0x001f  local.get 1
;; 0x0021  call $f
;;     | 00001e  mov rdi,rax
;;     | 000021  mov rsi,[rbp-0x10]
;;     | 000025  call f
;; 0x0023  )
;;     | 00002a  leave
;;     | 00002b  ret
