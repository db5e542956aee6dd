(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    i32.const 3
    i32.shl
    local.get 1
    i32.shr_s))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x24
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000024  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  i32.const 3
;; 0x001e  i32.shl
;;     | 000017  mov eax,[rbp-8]
;;     | 00001a  shl eax,3
;; 0x001f  local.get 1
;; 0x0021  i32.shr_s
;;     | 00001d  mov ecx,[rbp-0x10]
;;     | 000020  sar eax,cl
;; 0x0022  )
;;     | 000022  leave
;;     | 000023  ret
