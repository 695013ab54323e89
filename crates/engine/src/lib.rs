//! What runs workloads: Rust values, WebAssembly components, native libraries, all behind one trait.
//!
//! An [`Engine`] turns a verified package into a [`Prepared`] program, and that into any number of [`Workload`]s, one
//! for each actor. Whoever drives a workload gives it [events](playhouse_types::Event) one after the other and cannot
//! tell which engine runs it. Whatever a workload asks of the outside goes through its [`Host`].
//!
//! This crate does *not* decide when a workload runs, what it may do, or what happens after it crashed: that is the
//! node's business.

mod contract;
pub mod linked;
#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "wasm")]
pub mod wasm;

pub use contract::{
    Concurrency, Context, Creation, Engine, EngineKind, Failure, Host, HostFuture, Limits, Outcome, Preparation,
    Prepared, Running, Seed, Workload,
};
