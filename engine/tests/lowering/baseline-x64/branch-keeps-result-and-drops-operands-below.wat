(module
  (func $f (param i32) (result i32)
    block (result i32)
      i32.const 10
      i32.const 20
      local.get 0
      br 0
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov [rbp-8],edi
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 10
;; 0x001d  i32.const 20
;; 0x001f  local.get 0
;; 0x0021  br 0 (;@1;)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  jmp 0x1C
;; 0x0023  end
;; 0x0024  )
;;     | 00001c  leave
;;     | 00001d  ret
