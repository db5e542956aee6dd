(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 3
    i32.mul
    i32.const 1
    call $f
    i32.add))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2C
;;     | 000011  mov [rbp-8],edi
;;     | 00002c  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 3
;; 0x001d  i32.mul
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  imul eax,3
;; 0x001e  i32.const 1
;; 0x0020  call $f
;;     | 00001a  mov [rbp-0x10],eax
;;     | 00001d  mov edi,1
;;     | 000022  call f
;; 0x0022  i32.add
;;     | 000027  add eax,[rbp-0x10]
;; 0x0023  )
;;     | 00002a  leave
;;     | 00002b  ret
