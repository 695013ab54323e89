;; Is born with a table of ten million elements.
(module
  (memory (export "memory") 1)
  (table 10000000 funcref)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
  (func (export "playhouse:actor/actor@0.1.0#handle") (param i32 i32 i32 i32) (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-start") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-ready") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-stop") (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-error") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i32) (result i32) i32.const 64)
  (func (export "playhouse:actor/actor@0.1.0#on-runtime") (param i32 i64 i64 i32 i32 i32 i32 i32 i32 i32 i32))
  (func (export "playhouse:actor/actor@0.1.0#on-chunk") (param i32) (result i32) i32.const 64)
)
