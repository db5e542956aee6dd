(module
  (func $f (param i32 i32) (result i32)
    local.get 1
    local.get 0
    if (param i32) (result i32)
      i32.const 1
      i32.add
    else
      i32.const 2
      i32.mul
    end))

;; lowered:
;; function 0 f
;; 0x001f  local.get 1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x41
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000041  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0021  local.get 0
;; 0x0023  if (type 1) (param i32) (result i32) ;; label = @1
;;     | 000017  mov eax,[rbp-8]
;;     | 00001a  test eax,eax
;;     | 00001c  movss xmm15,[rbp-0x10]
;;     | 000022  movss [rbp-0x18],xmm15
;;     | 000028  je 0x39
;; 0x0025  i32.const 1
;; 0x0027  i32.add
;;     | 00002e  mov eax,[rbp-0x18]
;;     | 000031  add eax,1
;; 0x0028  else
;;     | 000034  jmp 0x3F
;; 0x0029  i32.const 2
;; 0x002b  i32.mul
;;     | 000039  mov eax,[rbp-0x18]
;;     | 00003c  imul eax,2
;; 0x002c  end
;; 0x002d  )
;;     | 00003f  leave
;;     | 000040  ret
