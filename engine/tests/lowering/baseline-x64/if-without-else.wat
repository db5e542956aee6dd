(module
  (func $f (param i32)
    local.get 0
    if
      nop
      unreachable
    end))

;; lowered:
;; function 0 f
;; 0x0018  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x26
;;     | 000011  mov [rbp-8],edi
;;     | 000026  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  if ;; label = @1
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  test eax,eax
;;     | 000019  je 0x24
;; 0x001c  nop
;; 0x001d  unreachable
;;     | 00001f  jmp 0x2A
;;     | 00002a  call qword ptr [r15+0x60]  ; unreachable
;; 0x001e  end
;; 0x001f  )
;;     | 000024  leave
;;     | 000025  ret
