(module
  (type $t (func (result i32)))
  (func $f (param (ref null $t)) (result i32)
    local.get 0
    call_ref $t))

;; lowered:
;; function 0 f
;; 0x001e  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x45
;;     | 000011  mov [rbp-8],rdi
;;     | 000045  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0020  call_ref $t
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  test rax,rax
;;     | 00001c  je 0x49
;;     | 000022  shl rax,4
;;     | 000026  mov r11,[r15+0x38]
;;     | 00002a  lea r11,[r11+rax-0x10]
;;     | 00002f  mov eax,[r15+0x90]
;;     | 000036  cmp eax,[r11+0xC]
;;     | 00003a  jne 0x4D
;;     | 000040  call qword ptr [r11]
;;     | 000049  call qword ptr [r15+0x60]  ; null function reference
;; 0x0022  )
;;     | 000043  leave
;;     | 000044  ret
;; 0x0023
;;     | 00004d  call qword ptr [r15+0x70]
;;     | 000051  jmp short 0x43
