;;! with: state
(module
  (func $f (param i32) (result i32) (local i32)
    local.get 0
    if
      i32.const 5
      local.set 1
    end
    local.get 1
    local.get 0
    i32.add))

;; lowered:
;; function 0 f
;; 0x001b  local.get 0
;;     | 000000  push rbp
;;     | 000001  mov rbp,rsp
;;     | 000004  sub rsp,0x50
;;     | 000008  cmp rsp,[r15]
;;     | 00000b  jb 0x2A
;;     | 000011  mov ebx,edi
;;     | 000013  xor r12d,r12d
;;     |         [] local 0 rbx, local 1 r12
;;     | 00002a  call qword ptr [r15+0x60]  ; call stack exhausted
;; 0x001d  if ;; label = @1
;;     | 000016  test ebx,ebx
;;     | 000018  je 0x24
;; 0x001f  i32.const 5
;;     |         [] local 0 rbx, local 1 r12
;; 0x0021  local.set 1
;;     | 00001e  mov r12d,5
;; 0x0023  end
;; 0x0024  local.get 1
;;     |         [] local 0 rbx, local 1 r12
;; 0x0026  local.get 0
;; 0x0028  i32.add
;;     | 000024  lea eax,[r12+rbx]
;; 0x0029  )
;;     | 000028  leave
;;     | 000029  ret
