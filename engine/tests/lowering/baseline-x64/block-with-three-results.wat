(module
  (func $f (param i32) (result i32 i64 i32)
    block (result i32 i64 i32)
      i32.const 1
      i64.const 2
      i32.const 3
      local.get 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0021  block (type 1) (result i32 i64 i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x58
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x66
;;     | 000011  mov [rbp-8],edi
;;     | 000066  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0023  i32.const 1
;; 0x0025  i64.const 2
;; 0x0027  i32.const 3
;; 0x0029  local.get 0
;; 0x002b  br_if 0 (;@1;)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  test eax,eax
;;     | 000019  mov dword ptr [rbp-0x10],1
;;     | 000020  mov qword ptr [rbp-0x18],2
;;     | 000028  mov dword ptr [rbp-0x20],3
;;     | 00002f  jne 0x35
;; 0x002d  end
;; 0x002e  )
;;     | 000035  mov r11,[r15+0x58]
;;     | 000039  movss xmm15,[rbp-0x10]
;;     | 00003f  movss [r11],xmm15
;;     | 000044  mov r11,[r15+0x58]
;;     | 000048  movsd xmm15,[rbp-0x18]
;;     | 00004e  movsd [r11+8],xmm15
;;     | 000054  mov r11,[r15+0x58]
;;     | 000058  movss xmm15,[rbp-0x20]
;;     | 00005e  movss [r11+0x10],xmm15
;;     | 000064  leave
;;     | 000065  ret
