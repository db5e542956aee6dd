(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (func $f (result i32)
    i32.const 4
    call $host))

;; lowered:
;; function 1 f
;; 0x002b  i32.const 4
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x38
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2F
;;     | 00002f  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x002d  call $host
;;     | 000011  mov edi,4
;;     | 000016  mov r11,[r15+0x40]
;;     | 00001a  mov eax,[r11]
;;     | 00001d  shl rax,4
;;     | 000021  mov r11,[r15+0x38]
;;     | 000025  lea r11,[r11+rax]
;;     | 000029  call qword ptr [r15+0x70]
;; 0x002f  )
;;     | 00002d  leave
;;     | 00002e  ret
