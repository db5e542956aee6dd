(module
  (elem declare func $f)
  (func $f (result funcref)
    ref.func $f))

;; lowered:
;; function 0 f
;; 0x001f  ref.func $f
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x38
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x1E
;;     | 000011  mov r11,[r15+0x40]
;;     | 000015  mov eax,[r11]
;;     | 000018  add rax,1
;;     | 00001e  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0021  )
;;     | 00001c  leave
;;     | 00001d  ret
