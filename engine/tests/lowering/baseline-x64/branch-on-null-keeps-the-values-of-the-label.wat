(module
  (func $f (param externref) (result i32)
    block (result i32)
      i32.const 4
      local.get 0
      br_on_null 0
      drop
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
;;     | 00000b  jb 0x36
;;     | 000011  mov [rbp-8],rdi
;;     | 000036  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 4
;; 0x001d  local.get 0
;; 0x001f  br_on_null 0 (;@1;)
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  test rax,rax
;;     | 00001c  jne 0x2C
;;     | 000022  mov eax,4
;;     | 000027  jmp 0x34
;; 0x0021  drop
;; 0x0022  i32.const 1
;; 0x0024  i32.add
;;     | 00002c  mov eax,1
;;     | 000031  add eax,4
;; 0x0025  end
;; 0x0026  )
;;     | 000034  leave
;;     | 000035  ret
