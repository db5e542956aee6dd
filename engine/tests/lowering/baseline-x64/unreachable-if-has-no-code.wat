(module
  (func $f 
    unreachable
    if
      nop
    else
      nop
    end))

;; lowered:
;; function 0 f
;; 0x0017  unreachable
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x30
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x16
;;     | 000011  jmp 0x1A
;;     | 000016  call qword ptr [r15+0x60]  ; call stack exhausted
;;     | 00001a  call qword ptr [r15+0x60]  ; unreachable
;; 0x0018  if ;; label = @1
;; 0x001a  nop
;; 0x001b  else
;; 0x001c  nop
;; 0x001d  end
;; 0x001e  )
