(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    local.get 1
    block (param i32 i32) (result i32)
      i32.sub
    end))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x37
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000037  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 1
;; 0x001e  block (type 0) (param i32 i32) (result i32) ;; label = @1
;;     | 000017  movss xmm15,[rbp-8]
;;     | 00001d  movss [rbp-0x18],xmm15
;;     | 000023  movss xmm15,[rbp-0x10]
;;     | 000029  movss [rbp-0x20],xmm15
;; 0x0020  i32.sub
;;     | 00002f  mov eax,[rbp-0x18]
;;     | 000032  sub eax,[rbp-0x20]
;; 0x0021  end
;; 0x0022  )
;;     | 000035  leave
;;     | 000036  ret
