(module
  (func $f (param i32 i32)
    block
      local.get 0
      local.get 1
      i32.lt_s
      br_if 0
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0019  block ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2A
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 00002a  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  local.get 0
;; 0x001d  local.get 1
;; 0x001f  i32.lt_s
;;     | 000017  mov eax,[rbp-8]
;;     | 00001a  cmp eax,[rbp-0x10]
;; 0x0020  br_if 0 (;@1;)
;;     | 00001d  jl 0x28
;; 0x0022  unreachable
;;     | 000023  jmp 0x2E
;;     | 00002e  call qword ptr [r15+0x60]  ; unreachable
;; 0x0023  end
;; 0x0024  )
;;     | 000028  leave
;;     | 000029  ret
