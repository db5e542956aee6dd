(module
  (func $f (param i32) (result i32)
    block (result i32)
      block (result i32)
        i32.const 5
        local.get 0
        br_table 1 0
      end
      i32.const 1
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x4A
;;     | 000011  mov [rbp-8],edi
;;     | 00004a  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  block (result i32) ;; label = @2
;; 0x001d  i32.const 5
;; 0x001f  local.get 0
;; 0x0021  br_table 1 (;@1;) 0 (;@2;)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  cmp eax,1
;;     | 00001a  jae 0x3B
;;     | 000020  lea r11,[0x4E]
;;     | 000027  movsxd rax,[r11+rax*4]
;;     | 00002b  add r11,rax
;;     | 00002e  jmp r11
;;     | 000031  mov eax,5
;;     | 000036  jmp 0x48
;;     | 00003b  mov eax,5
;;     | 000040  jmp 0x45
;; 0x0025  end
;; 0x0026  i32.const 1
;; 0x0028  i32.add
;;     | 000045  add eax,1
;; 0x0029  end
;; 0x002a  )
;;     | 000048  leave
;;     | 000049  ret
