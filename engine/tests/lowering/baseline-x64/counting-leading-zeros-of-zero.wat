(module
  (func $f (param i32) (result i32)
    local.get 0
    i32.clz))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x40
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x29
;;     | 000011  mov [rbp-8],edi
;;     | 000029  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001b  i32.clz
;;     | 000014  mov eax,[rbp-8]
;;     | 000017  mov r11d,0x3F
;;     | 00001d  bsr eax,eax
;;     | 000020  cmove eax,r11d
;;     | 000024  xor eax,0x1F
;; 0x001c  )
;;     | 000027  leave
;;     | 000028  ret
