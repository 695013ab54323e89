//! The contracts between hosts and guests: the C header and its Rust types for native libraries, the WIT for components.
//!
//! Contracts only grow: what is here stays as it is, additions are optional symbols, tables and fields. The crate
//! loads nothing and calls nothing; `playhouse-engine` does. Start from [`native`] for shared libraries and from [`wit`]
//! for components. C guests include [`PLAYHOUSE_H`].

pub mod native;
pub mod wit;

/// The C header of native guests, `include/playhouse.h`.
pub const PLAYHOUSE_H: &str = include_str!("../include/playhouse.h");
