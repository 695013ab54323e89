//! The native engine with real libraries, from signed packages, through the public traits alone.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod echo;
mod support;
