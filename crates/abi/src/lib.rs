//! The contracts between hosts and guests: the C header and its Rust types for native libraries, the WIT for components.
//!
//! Contracts only grow: what is here stays as it is, additions are optional symbols, tables and fields. The crate
//! loads nothing and calls nothing; `playhouse-engine` does. Start from [`native`] for shared libraries and from [`wit`]
//! for components. C guests include [`PLAYHOUSE_V2_H`], those for hosts of actr 0.3 [`PLAYHOUSE_H`].

pub mod native;
pub mod wit;

/// The C header of native guests, `include/playhouse.h`.
pub const PLAYHOUSE_H: &str = include_str!("../include/playhouse.h");
/// The C header of native guests of the second version, `include/playhouse_v2.h`. It includes the first.
pub const PLAYHOUSE_V2_H: &str = include_str!("../include/playhouse_v2.h");
