(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.div_s))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x3F
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 00003f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  i32.div_s
;;     | 000017  mov ecx,[rbp-0x10]
;;     | 00001a  mov eax,[rbp-8]
;;     | 00001d  test ecx,ecx
;;     | 00001f  je 0x43
;;     | 000025  cmp ecx,0xFFFFFFFF
;;     | 000028  jne 0x3A
;;     | 00002e  cmp eax,0x80000000
;;     | 000034  je 0x47
;;     | 00003a  cdq
;;     | 00003b  idiv ecx
;;     | 000043  call qword ptr [r15+0x60]  ; integer divide by zero
;;     | 000047  call qword ptr [r15+0x60]  ; integer overflow
;; 0x001f  )
;;     | 00003d  leave
;;     | 00003e  ret
