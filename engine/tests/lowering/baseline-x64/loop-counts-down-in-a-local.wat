(module
  (func $f (param i32) (result i32) (local i32)
    loop
      local.get 1
      local.get 0
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end
    local.get 1))

;; lowered:
;; function 0 f
;; 0x001b  loop ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x25
;;     | 000011  mov ebx,edi
;;     | 000013  xor r12d,r12d
;;     | 000025  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001d  local.get 1
;; 0x001f  local.get 0
;; 0x0021  i32.add
;;     | 000016  add r12d,ebx
;; 0x0022  local.set 1
;; 0x0024  local.get 0
;; 0x0026  i32.const 1
;; 0x0028  i32.sub
;;     | 000019  add ebx,0xFFFFFFFF
;; 0x0029  local.tee 0
;; 0x002b  br_if 0 (;@1;)
;;     | 00001c  test ebx,ebx
;;     | 00001e  jne short 0x16
;; 0x002d  end
;; 0x002e  local.get 1
;; 0x0030  )
;;     | 000020  mov eax,r12d
;;     | 000023  leave
;;     | 000024  ret
