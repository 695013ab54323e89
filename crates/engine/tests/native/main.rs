//! The native engine with real libraries, from signed packages, through the public traits alone.
//!
//! `PLAYHOUSE_ASAN=1` compiles the guests with AddressSanitizer. The runtime of the sanitizer must then be loaded first:
//!
//! ```text
//! PLAYHOUSE_ASAN=1 ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$(cc -print-file-name=libasan.so) cargo test -p playhouse-engine --test native
//! ```
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod guests;
mod hostile_calls;
mod hostile_replies;
mod hung;
mod load;
mod support;
