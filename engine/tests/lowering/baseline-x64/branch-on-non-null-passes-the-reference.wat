(module
  (func $f (param externref) (result externref)
    block (result (ref extern))
      local.get 0
      br_on_non_null 0
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0019  block (result (ref extern)) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x29
;;     | 000011  mov [rbp-8],rdi
;;     | 000029  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  local.get 0
;; 0x001e  br_on_non_null 0 (;@1;)
;;     | 000015  mov rax,[rbp-8]
;;     | 000019  test rax,rax
;;     | 00001c  jne 0x27
;; 0x0020  unreachable
;;     | 000022  jmp 0x2D
;;     | 00002d  call qword ptr [r15+0x60]  ; unreachable
;; 0x0021  end
;; 0x0022  )
;;     | 000027  leave
;;     | 000028  ret
