;;! with: state
(module
  (func $f (param i32 i32) (result i32)
    block (result i32)
      local.get 0
      local.get 1
      br_if 0
      i32.const 1
      i32.add
    end
    i32.const 2
    i32.mul))

;; lowered:
;; function 0 f
;; 0x001a  block (result i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x35
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     |         []
;;     | 000035  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 0
;;     |         []
;; 0x001e  local.get 1
;; 0x0020  br_if 0 (;@1;)
;;     | 000017  mov eax,[rbp-0x10]
;;     | 00001a  test eax,eax
;;     | 00001c  je 0x2A
;;     | 000022  mov eax,[rbp-8]
;;     | 000025  jmp 0x30
;; 0x0022  i32.const 1
;; 0x0024  i32.add
;;     | 00002a  mov eax,[rbp-8]
;;     | 00002d  add eax,1
;; 0x0025  end
;; 0x0026  i32.const 2
;;     |         [i32 rax]
;; 0x0028  i32.mul
;;     | 000030  imul eax,2
;; 0x0029  )
;;     | 000033  leave
;;     | 000034  ret
