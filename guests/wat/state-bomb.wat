;; Breaks what bounds the state, each payload another way: `k` more and more keys, `g` a giant key, `v` a giant value, `w` a
;; write of a hundred thousand values, `s` a scan without end. Answers with the error that stops it, if one does. Errors lie in
;; both results at the same place: what the host answers at 64 is what the guest answers.
(module
  (import "playhouse:actor/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
  (import "playhouse:actor/state@0.1.0" "scan" (func $scan (param i32 i32 i32 i32 i32 i32 i32)))
  (import "playhouse:actor/state@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 200)
  ;; What the host hands over lies behind the first MiB, and is gone with the next request or scan.
  (global $free (mut i32) (i32.const 1048576))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    global.get $free
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7)) (i32.const -8))))
  (func $clear
    (global.set $free (i32.const 1048576))
    (memory.fill (i32.const 64) (i32.const 0) (i32.const 64)))
  (func $keys (local $key i32)
    (loop $next
      (i32.store (i32.const 1024) (local.tee $key (i32.add (local.get $key) (i32.const 1))))
      (call $set (i32.const 1024) (i32.const 4) (i32.const 2048) (i32.const 1000) (i32.const 64))
      (br_if $next (i32.eqz (i32.load8_u (i32.const 64))))))
  ;; Changes of 20 bytes: a key of 4 bytes and a value of 1,000, the same for all.
  (func $writes (local $at i32)
    (loop $next
      (i32.store offset=2097152 (local.get $at) (i32.const 1024))
      (i32.store offset=2097156 (local.get $at) (i32.const 4))
      (i32.store offset=2097160 (local.get $at) (i32.const 1))
      (i32.store offset=2097164 (local.get $at) (i32.const 2048))
      (i32.store offset=2097168 (local.get $at) (i32.const 1000))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 20))) (i32.const 2000000))))
    (call $write (i32.const 2097152) (i32.const 100000) (i32.const 64)))
  (func $scans
    (loop $next
      (call $clear)
      (call $scan (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 64))
      (br_if $next (i32.eqz (i32.load8_u (i32.const 64))))))
  (func (export "playhouse:actor/actor@0.1.0#handle") (param i32 i32) (param $payload i32) (param i32) (result i32)
    (local $kind i32)
    (local.set $kind (i32.load8_u (local.get $payload)))
    (call $clear)
    (if (i32.eq (local.get $kind) (i32.const 107)) (then (call $keys)))
    (if (i32.eq (local.get $kind) (i32.const 103))
      (then (call $set (i32.const 1024) (i32.const 1000000) (i32.const 2048) (i32.const 0) (i32.const 64))))
    (if (i32.eq (local.get $kind) (i32.const 118))
      (then (call $set (i32.const 1024) (i32.const 4) (i32.const 2048) (i32.const 9000000) (i32.const 64))))
    (if (i32.eq (local.get $kind) (i32.const 119)) (then (call $writes)))
    (if (i32.eq (local.get $kind) (i32.const 115)) (then (call $scans)))
    i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-start") (result i32) i32.const 0)
  (func (export "playhouse:actor/actor@0.1.0#on-ready") (result i32) i32.const 0)
  (func (export "playhouse:actor/actor@0.1.0#on-stop") (result i32) i32.const 0)
  (func (export "playhouse:actor/actor@0.1.0#on-error") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i32) (result i32) i32.const 0)
  (func (export "playhouse:actor/actor@0.1.0#on-runtime") (param i32 i64 i64 i32 i32 i32 i32 i32 i32 i32 i32))
  (func (export "playhouse:actor/actor@0.1.0#on-chunk") (param i32) (result i32) i32.const 0)
)
