;; Byte by byte through memory: text is copied in lower case, its words are counted and hashed, and the copy
;; becomes the next text, shifted by memory.copy.
;; Result: words in the upper half, hash in the lower.
(module
  (memory 4)
  (data (i32.const 0) "When in the Course of Validation it becomes NECESSARY for one Engine to dissolve the Bands ")
  (global $pattern i32 (i32.const 91))
  (global $text i32 (i32.const 128))
  (global $copy i32 (i32.const 131072))
  (global $length i32 (i32.const 65536))

  (func $repeat_pattern
    (local $at i32)
    (loop $next
      (i32.store8
        (i32.add (global.get $text) (local.get $at))
        (i32.load8_u (i32.rem_u (local.get $at) (global.get $pattern))))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (global.get $length)))))

  (func (export "run") (param $rounds i32) (result i64)
    (local $at i32) (local $byte i32) (local $in_word i32) (local $words i32) (local $hash i32)
    (call $repeat_pattern)
    (loop $round
      (local.set $at (i32.const 0))
      (loop $next
        (local.set $byte (i32.load8_u (i32.add (global.get $text) (local.get $at))))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 65)) (i32.const 26))
          (then (local.set $byte (i32.or (local.get $byte) (i32.const 32)))))
        (i32.store8 (i32.add (global.get $copy) (local.get $at)) (local.get $byte))
        (if (i32.eq (local.get $byte) (i32.const 32))
          (then
            (local.set $words (i32.add (local.get $words) (local.get $in_word)))
            (local.set $in_word (i32.const 0)))
          (else
            (local.set $in_word (i32.const 1))
            (local.set $hash
              (i32.mul (i32.xor (local.get $hash) (local.get $byte)) (i32.const 16777619)))))
        (br_if $next
          (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (global.get $length))))
      ;; The next round starts elsewhere in the text.
      (memory.copy
        (global.get $text)
        (i32.add (global.get $copy) (i32.const 13))
        (i32.sub (global.get $length) (i32.const 13)))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $words)) (i64.const 32))
      (i64.extend_i32_u (local.get $hash)))))
