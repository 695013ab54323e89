//! The native engine with real libraries, from signed packages, through the public traits alone.
//!
//! `PLAYHOUSE_ASAN=1` compiles the guests with AddressSanitizer. The runtime of the sanitizer must then be the first library
//! of the test process, which cargo's runner arranges:
//!
//! ```text
//! export PLAYHOUSE_ASAN=1
//! export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$(cc -print-file-name=libasan.so)"
//! cargo test -p playhouse-engine --no-default-features --features native --test native
//! ```
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod contexts;
#[cfg(target_os = "linux")]
mod fatal;
mod guests;
mod hostile_calls;
mod hostile_replies;
mod hung;
mod load;
mod rude;
mod support;
mod v2;
