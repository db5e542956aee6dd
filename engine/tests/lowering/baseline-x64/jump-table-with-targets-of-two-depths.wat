(module
  (func $f (param i32) (result i32)
    block
      block
        local.get 0
        br_table 0 1 0
      end
      i32.const 1
      return
    end
    i32.const 2))

;; lowered:
;; function 0 f
;; 0x0019  block ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x3F
;;     | 000011  mov [rbp-8],edi
;;     | 00003f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  block ;; label = @2
;; 0x001d  local.get 0
;; 0x001f  br_table 0 (;@2;) 1 (;@1;) 0 (;@2;)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  cmp eax,2
;;     | 00001a  jae 0x31
;;     | 000020  lea r11,[0x43]
;;     | 000027  movsxd rax,[r11+rax*4]
;;     | 00002b  add r11,rax
;;     | 00002e  jmp r11
;; 0x0024  end
;; 0x0025  i32.const 1
;; 0x0027  return
;;     | 000031  mov eax,1
;;     | 000036  leave
;;     | 000037  ret
;; 0x0028  end
;; 0x0029  i32.const 2
;; 0x002b  )
;;     | 000038  mov eax,2
;;     | 00003d  leave
;;     | 00003e  ret
