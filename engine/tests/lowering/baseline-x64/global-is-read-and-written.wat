(module
  (global (mut i64) (i64.const 5))
  (func $f (result i64)
    global.get 0
    i64.const 1
    i64.add
    global.set 0
    global.get 0))

;; lowered:
;; function 0 f
;; 0x0020  global.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x35
;;     | 000011  mov r11,[r15+0x20]
;;     | 000015  mov r11,[r11]
;;     | 000018  mov rax,[r11]
;;     | 000035  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x0022  i64.const 1
;; 0x0024  i64.add
;;     | 00001b  add rax,1
;; 0x0025  global.set 0
;;     | 00001f  mov r11,[r15+0x20]
;;     | 000023  mov r11,[r11]
;;     | 000026  mov [r11],rax
;; 0x0027  global.get 0
;;     | 000029  mov r11,[r15+0x20]
;;     | 00002d  mov r11,[r11]
;;     | 000030  mov rax,[r11]
;; 0x0029  )
;;     | 000033  leave
;;     | 000034  ret
