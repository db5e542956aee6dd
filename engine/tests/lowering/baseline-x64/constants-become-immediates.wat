(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 100
    i32.add
    i32.const -1
    i32.xor))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1F
;;     | 000011  mov [rbp-8],edi
;;     | 00001f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 100
;; 0x001e  i32.add
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  add eax,0x64
;; 0x001f  i32.const -1
;; 0x0021  i32.xor
;;     | 00001a  xor eax,0xFFFFFFFF
;; 0x0022  )
;;     | 00001d  leave
;;     | 00001e  ret
