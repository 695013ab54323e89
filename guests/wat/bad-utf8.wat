;; An error of kind 9 (internal) whose code, at 256, is two bytes that are not UTF-8. The record begins after the discriminant,
;; at 8 because it has a u64: kind at 136, code's pointer and length at 140.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
  (func (export "playhouse:actor/actor@0.1.0#handle") (param i32 i32 i32 i32) (result i32) i32.const 128)
  (func (export "playhouse:actor/actor@0.1.0#on-start") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-ready") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-stop") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-error") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i32) (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-runtime") (param i32 i64 i64 i32 i32 i32 i32 i32 i32 i32 i32))
  (func (export "playhouse:actor/actor@0.1.0#on-chunk") (param i32) (result i32) i32.const 64)
  (data (i32.const 128) "\01\00\00\00\00\00\00\00\09\00\00\00\00\01\00\00\02\00\00\00")
  (data (i32.const 256) "\c3\28")
)
