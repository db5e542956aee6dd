;;! with: fuel
(module
  (func $f (param i32) (result i32)
    local.get 0
    if (result i32)
      i32.const 1
    else
      i32.const 1
      i32.const 2
      i32.add
    end))

;; lowered:
;; function 0 f
;; 0x0019  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x48
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x51
;;     | 000011  mov [rbp-8],edi
;;     | 000014  sub r10,2
;;     | 000018  jb 0x55
;;     | 000051  call qword ptr [r15+0x60]  ; call stack exhausted
;;     | 000055  add r10,2
;;     | 000059  call qword ptr [r15+0x60]  ; out of fuel
;; 0x001b  if (result i32) ;; label = @1
;;     | 00001e  mov eax,[rbp-8]
;;     | 000021  test eax,eax
;;     | 000023  je 0x3D
;; 0x001d  i32.const 1
;;     | 000029  sub r10,1
;;     | 00002d  jb 0x5D
;;     | 00005d  add r10,1
;;     | 000061  call qword ptr [r15+0x60]  ; out of fuel
;; 0x001f  else
;;     | 000033  mov eax,1
;;     | 000038  jmp 0x4F
;; 0x0020  i32.const 1
;;     | 00003d  sub r10,3
;;     | 000041  jb 0x65
;;     | 000065  add r10,3
;;     | 000069  call qword ptr [r15+0x60]  ; out of fuel
;; 0x0022  i32.const 2
;; 0x0024  i32.add
;;     | 000047  mov eax,2
;;     | 00004c  add eax,1
;; 0x0025  end
;; 0x0026  )
;;     | 00004f  leave
;;     | 000050  ret
