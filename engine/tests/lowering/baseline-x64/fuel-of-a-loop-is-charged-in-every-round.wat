;;! with: fuel
(module
  (func $f (param i32)
    loop
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end))

;; lowered:
;; function 0 f
;; 0x0018  loop ;; label = @1
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x26
;;     | 000011  mov ebx,edi
;;     | 000026  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001a  local.get 0
;;     | 000013  sub r10,5
;;     | 000017  jb 0x2A
;;     | 00002a  add r10,5
;;     | 00002e  call qword ptr [r15+0x60]  ; out of fuel
;; 0x001c  i32.const 1
;; 0x001e  i32.sub
;;     | 00001d  add ebx,0xFFFFFFFF
;; 0x001f  local.tee 0
;; 0x0021  br_if 0 (;@1;)
;;     | 000020  test ebx,ebx
;;     | 000022  jne short 0x13
;; 0x0023  end
;; 0x0024  )
;;     | 000024  leave
;;     | 000025  ret
