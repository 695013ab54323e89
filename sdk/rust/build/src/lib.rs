//! Typed handlers and typed clients from `.proto` files, in a build script, without `protoc`.
//!
//! For each service, beside the messages that prost makes, the generated code has a trait of the service's name to
//! implement, a module of its name in snake case with the route keys, and a client named `…Client`. `playhouse-guest` is all
//! that the code needs. This crate is *not* needed at run time.
//!
//! Start from [`Config`]:
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), playhouse_build::BuildError> {
//!     playhouse_build::Config::new().compile(&["proto/echo.proto"], &["proto"])
//! }
//! ```
//!
//! Then, in the crate, `mod proto { playhouse_guest::include_proto!("echo"); }`.

mod config;
mod error;
mod render;
mod service;

pub use config::Config;
pub use error::BuildError;
