;; Rotations, shifts and exclusive ors of i32, many locals: SHA-256 (FIPS 180-4) of as many letters `a` as the
;; argument says.
;; Result: the first eight bytes of the digest. Of a million letters they are the published cdc76e5c9914fb92.
(module
  ;; From 0 the schedule, from 256 the round constants, from 512 the state, from 1024 the padded message.
  (memory 16)
  (data (i32.const 256)
    "\98\2f\8a\42\91\44\37\71\cf\fb\c0\b5\a5\db\b5\e9\5b\c2\56\39\f1\11\f1\59\a4\82\3f\92\d5\5e\1c\ab"
    "\98\aa\07\d8\01\5b\83\12\be\85\31\24\c3\7d\0c\55\74\5d\be\72\fe\b1\de\80\a7\06\dc\9b\74\f1\9b\c1"
    "\c1\69\9b\e4\86\47\be\ef\c6\9d\c1\0f\cc\a1\0c\24\6f\2c\e9\2d\aa\84\74\4a\dc\a9\b0\5c\da\88\f9\76"
    "\52\51\3e\98\6d\c6\31\a8\c8\27\03\b0\c7\7f\59\bf\f3\0b\e0\c6\47\91\a7\d5\51\63\ca\06\67\29\29\14"
    "\85\0a\b7\27\38\21\1b\2e\fc\6d\2c\4d\13\0d\38\53\54\73\0a\65\bb\0a\6a\76\2e\c9\c2\81\85\2c\72\92"
    "\a1\e8\bf\a2\4b\66\1a\a8\70\8b\4b\c2\a3\51\6c\c7\19\e8\92\d1\24\06\99\d6\85\35\0e\f4\70\a0\6a\10"
    "\16\c1\a4\19\08\6c\37\1e\4c\77\48\27\b5\bc\b0\34\b3\0c\1c\39\4a\aa\d8\4e\4f\ca\9c\5b\f3\6f\2e\68"
    "\ee\82\8f\74\6f\63\a5\78\14\78\c8\84\08\02\c7\8c\fa\ff\be\90\eb\6c\50\a4\f7\a3\f9\be\f2\78\71\c6")

  ;; The bytes of a word the other way round.
  (func $swap (param $word i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $word) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $word) (i32.const 8)) (i32.const 0xff00ff00))))

  (func $schedule (param $block i32)
    (local $at i32) (local $word i32)
    (loop $copy
      (i32.store (local.get $at) (call $swap (i32.load (i32.add (local.get $block) (local.get $at)))))
      (br_if $copy (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 64))))
    ;; $at lies 64 bytes behind the word that is made.
    (local.set $at (i32.const 0))
    (loop $extend
      (local.set $word (i32.load offset=4 (local.get $at)))
      (i32.store offset=64 (local.get $at)
        (i32.add
          (i32.add
            (i32.load (local.get $at))
            (i32.xor
              (i32.xor
                (i32.rotr (local.get $word) (i32.const 7))
                (i32.rotr (local.get $word) (i32.const 18)))
              (i32.shr_u (local.get $word) (i32.const 3))))
          (i32.add
            (i32.load offset=36 (local.get $at))
            (i32.xor
              (i32.xor
                (i32.rotr (local.tee $word (i32.load offset=56 (local.get $at))) (i32.const 17))
                (i32.rotr (local.get $word) (i32.const 19)))
              (i32.shr_u (local.get $word) (i32.const 10))))))
      (br_if $extend (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 192)))))

  (func $compress
    (local $at i32) (local $one i32) (local $two i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local $e i32) (local $f i32) (local $g i32) (local $h i32)
    (local.set $a (i32.load offset=512 (i32.const 0)))
    (local.set $b (i32.load offset=516 (i32.const 0)))
    (local.set $c (i32.load offset=520 (i32.const 0)))
    (local.set $d (i32.load offset=524 (i32.const 0)))
    (local.set $e (i32.load offset=528 (i32.const 0)))
    (local.set $f (i32.load offset=532 (i32.const 0)))
    (local.set $g (i32.load offset=536 (i32.const 0)))
    (local.set $h (i32.load offset=540 (i32.const 0)))
    (loop $rounds
      (local.set $one
        (i32.add
          (i32.add
            (i32.add
              (local.get $h)
              (i32.xor
                (i32.xor
                  (i32.rotr (local.get $e) (i32.const 6))
                  (i32.rotr (local.get $e) (i32.const 11)))
                (i32.rotr (local.get $e) (i32.const 25))))
            (i32.xor
              (i32.and (local.get $e) (local.get $f))
              (i32.and (i32.xor (local.get $e) (i32.const -1)) (local.get $g))))
          (i32.add (i32.load offset=256 (local.get $at)) (i32.load (local.get $at)))))
      (local.set $two
        (i32.add
          (i32.xor
            (i32.xor
              (i32.rotr (local.get $a) (i32.const 2))
              (i32.rotr (local.get $a) (i32.const 13)))
            (i32.rotr (local.get $a) (i32.const 22)))
          (i32.xor
            (i32.xor
              (i32.and (local.get $a) (local.get $b))
              (i32.and (local.get $a) (local.get $c)))
            (i32.and (local.get $b) (local.get $c)))))
      (local.set $h (local.get $g))
      (local.set $g (local.get $f))
      (local.set $f (local.get $e))
      (local.set $e (i32.add (local.get $d) (local.get $one)))
      (local.set $d (local.get $c))
      (local.set $c (local.get $b))
      (local.set $b (local.get $a))
      (local.set $a (i32.add (local.get $one) (local.get $two)))
      (br_if $rounds (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 256))))
    (i32.store offset=512 (i32.const 0) (i32.add (i32.load offset=512 (i32.const 0)) (local.get $a)))
    (i32.store offset=516 (i32.const 0) (i32.add (i32.load offset=516 (i32.const 0)) (local.get $b)))
    (i32.store offset=520 (i32.const 0) (i32.add (i32.load offset=520 (i32.const 0)) (local.get $c)))
    (i32.store offset=524 (i32.const 0) (i32.add (i32.load offset=524 (i32.const 0)) (local.get $d)))
    (i32.store offset=528 (i32.const 0) (i32.add (i32.load offset=528 (i32.const 0)) (local.get $e)))
    (i32.store offset=532 (i32.const 0) (i32.add (i32.load offset=532 (i32.const 0)) (local.get $f)))
    (i32.store offset=536 (i32.const 0) (i32.add (i32.load offset=536 (i32.const 0)) (local.get $g)))
    (i32.store offset=540 (i32.const 0) (i32.add (i32.load offset=540 (i32.const 0)) (local.get $h))))

  (func (export "run") (param $letters i32) (result i64)
    (local $at i32) (local $end i32)
    (i32.store offset=512 (i32.const 0) (i32.const 0x6a09e667))
    (i32.store offset=516 (i32.const 0) (i32.const 0xbb67ae85))
    (i32.store offset=520 (i32.const 0) (i32.const 0x3c6ef372))
    (i32.store offset=524 (i32.const 0) (i32.const 0xa54ff53a))
    (i32.store offset=528 (i32.const 0) (i32.const 0x510e527f))
    (i32.store offset=532 (i32.const 0) (i32.const 0x9b05688c))
    (i32.store offset=536 (i32.const 0) (i32.const 0x1f83d9ab))
    (i32.store offset=540 (i32.const 0) (i32.const 0x5be0cd19))
    ;; The letters, a byte with its highest bit set, zeros, and the count of bits in the last eight bytes.
    (local.set $end
      (i32.and (i32.add (local.get $letters) (i32.const 72)) (i32.const -64)))
    (memory.fill (i32.const 1024) (i32.const 97) (local.get $letters))
    (memory.fill
      (i32.add (local.get $letters) (i32.const 1024))
      (i32.const 0)
      (i32.sub (local.get $end) (local.get $letters)))
    (i32.store8 offset=1024 (local.get $letters) (i32.const 0x80))
    (i32.store offset=1020 (local.get $end) (call $swap (i32.shl (local.get $letters) (i32.const 3))))
    (loop $blocks
      (call $schedule (i32.add (local.get $at) (i32.const 1024)))
      (call $compress)
      (br_if $blocks (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end))))
    (i64.or
      (i64.shl (i64.load32_u offset=512 (i32.const 0)) (i64.const 32))
      (i64.load32_u offset=516 (i32.const 0)))))
