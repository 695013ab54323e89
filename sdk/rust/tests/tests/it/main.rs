//! The Rust SDK, from a `.proto` to a reply.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod generated;
mod native;
mod native_v2;
