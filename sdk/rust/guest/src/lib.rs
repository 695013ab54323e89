//! Write an actor in Rust once; run it as a WebAssembly component, as a native library, or linked into a host.
//!
//! Implement the service trait that `playhouse-build` generates from a `.proto`, implement [`Actor`] for the hooks, and
//! name the services with [`services!`]. The same source then compiles to every engine; [`export!`] adds the entry points
//! that wasm and native hosts look for.
//!
//! This crate is *not* a runtime: it neither schedules nor connects. Everything an actor wants goes through its [`Context`].

extern crate self as playhouse_guest;

mod actor;
mod context;
mod export;
#[doc(hidden)]
pub mod internal;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
#[doc(hidden)]
pub mod native;
mod services;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

pub use actor::{Actor, Dispatch, SharedActor, SharedDispatch};
pub use context::{Backend, Caller, Context, Keys, Operation, Scanned, State, Timers};

pub use bytes::Bytes;
pub use playhouse_types::{
    ActorError as Error, ActorId, ActorType, Code, DataChunk, Dest, ErrorCategory, ErrorEvent, ErrorKind,
    HashAlgorithm, HostOp, HostReply, KeyPurpose, LogLevel, LogText, PayloadClass, PeerEvent, RequestId, RouteKey,
    RuntimeEvent, Schedule, StateChange, StateEntry, StateKey, StateVersion, StreamId, Timestamp,
};
