(module
  (func $f (param i32) (result i32)
    i32.const 1
    i32.const 2
    block
      local.get 0
      return
    end
    unreachable))

;; lowered:
;; function 0 f
;; 0x0019  i32.const 1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov [rbp-8],edi
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.const 2
;; 0x001d  block ;; label = @1
;; 0x001f  local.get 0
;; 0x0021  return
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  leave
;;     | 000018  ret
;; 0x0022  end
;; 0x0023  unreachable
;;     | 000019  jmp 0x22
;;     | 000022  call qword ptr [r15+0x60]  ; unreachable
;; 0x0024  )
