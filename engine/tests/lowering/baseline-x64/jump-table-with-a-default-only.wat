(module
  (func $f (param i32)
    block
      local.get 0
      br_table 0
    end))

;; lowered:
;; function 0 f
;; 0x0018  block ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov [rbp-8],edi
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  local.get 0
;; 0x001c  br_table 0 (;@1;)
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  jmp 0x1C
;; 0x001f  end
;; 0x0020  )
;;     | 00001c  leave
;;     | 00001d  ret
