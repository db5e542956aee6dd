(module
  (func $f (param i32 i32) (result i32)
    block (result i32)
      i32.const 10
      local.get 0
      local.get 1
      br_if 0
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x001a  block (result i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x58
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x32
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000032  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  i32.const 10
;; 0x001e  local.get 0
;; 0x0020  local.get 1
;; 0x0022  br_if 0 (;@1;)
;;     | 000017  mov eax,[rbp-0x10]
;;     | 00001a  test eax,eax
;;     | 00001c  je 0x2A
;;     | 000022  mov eax,[rbp-8]
;;     | 000025  jmp 0x30
;; 0x0024  i32.add
;;     | 00002a  mov eax,[rbp-8]
;;     | 00002d  add eax,0xA
;; 0x0025  end
;; 0x0026  )
;;     | 000030  leave
;;     | 000031  ret
