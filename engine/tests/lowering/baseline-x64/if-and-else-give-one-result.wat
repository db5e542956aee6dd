(module
  (func $f (param i32 i32) (result i32)
    local.get 0
    if (result i32)
      local.get 1
    else
      i32.const 7
    end))

;; lowered:
;; function 0 f
;; 0x001a  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x31
;;     | 000011  mov [rbp-8],edi
;;     | 000014  mov [rbp-0x10],esi
;;     | 000031  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001c  if (result i32) ;; label = @1
;;     | 000017  mov eax,[rbp-8]
;;     | 00001a  test eax,eax
;;     | 00001c  je 0x2A
;; 0x001e  local.get 1
;; 0x0020  else
;;     | 000022  mov eax,[rbp-0x10]
;;     | 000025  jmp 0x2F
;; 0x0021  i32.const 7
;; 0x0023  end
;;     | 00002a  mov eax,7
;; 0x0024  )
;;     | 00002f  leave
;;     | 000030  ret
