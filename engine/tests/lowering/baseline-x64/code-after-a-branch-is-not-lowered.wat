(module
  (func $f (result i32)
    block (result i32)
      i32.const 1
      br 0
      i32.const 2
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0018  block (result i32) ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x38
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1D
;;     | 00001d  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  i32.const 1
;; 0x001c  br 0 (;@1;)
;;     | 000011  mov eax,1
;;     | 000016  jmp 0x1B
;; 0x001e  i32.const 2
;; 0x0020  i32.add
;; 0x0021  end
;; 0x0022  )
;;     | 00001b  leave
;;     | 00001c  ret
