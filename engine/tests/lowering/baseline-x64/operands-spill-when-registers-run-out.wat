;;! with: few-registers
(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.const 1
    i32.add
    local.get 0
    i32.const 2
    i32.add
    local.get 0
    i32.const 3
    i32.add
    local.get 0
    i32.const 4
    i32.add
    local.get 0
    i32.const 5
    i32.add
    i32.xor
    i32.xor
    i32.xor
    i32.xor))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x68
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x42
;;     | 000011  mov [rbp-8],edi
;;     | 000042  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 1
;; 0x001d  i32.add
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  add eax,1
;; 0x001e  local.get 0
;; 0x0020  i32.const 2
;; 0x0022  i32.add
;;     | 00001a  mov ecx,[rbp-8]
;;     | 00001d  add ecx,2
;; 0x0023  local.get 0
;; 0x0025  i32.const 3
;; 0x0027  i32.add
;;     | 000020  mov edx,[rbp-8]
;;     | 000023  add edx,3
;; 0x0028  local.get 0
;; 0x002a  i32.const 4
;; 0x002c  i32.add
;;     | 000026  mov esi,[rbp-8]
;;     | 000029  add esi,4
;; 0x002d  local.get 0
;; 0x002f  i32.const 5
;; 0x0031  i32.add
;;     | 00002c  mov [rbp-0x10],eax
;;     | 00002f  mov eax,[rbp-8]
;;     | 000032  add eax,5
;; 0x0032  i32.xor
;;     | 000035  xor esi,eax
;; 0x0033  i32.xor
;;     | 000037  xor edx,esi
;; 0x0034  i32.xor
;;     | 000039  xor ecx,edx
;; 0x0035  i32.xor
;;     | 00003b  xor ecx,[rbp-0x10]
;; 0x0036  )
;;     | 00003e  mov eax,ecx
;;     | 000040  leave
;;     | 000041  ret
