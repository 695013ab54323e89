//! The vocabulary that every other crate of Playhouse speaks: ids, names, errors, and what crosses the border
//! between a workload and its host.
//!
//! Values here are parsed once, at the edge; whoever holds an [`ActorId`] or a [`RouteKey`] holds the proof that it
//! is well formed. The crate does no I/O, knows no clock and encodes nothing: bytes are the business of
//! `playhouse-wire`.
//!
//! Start from [`ActorId`] for names, from [`ActorError`] for failures, and from [`Event`] and [`HostOp`] for the
//! contract between workloads and hosts.
//!
//! ```
//! use playhouse_types::ActorId;
//!
//! let id: ActorId = "1a2b3c@7/acme:EchoService:1.0.0".parse()?;
//! assert_eq!(id.realm().number(), 7);
//! assert_eq!(id.to_string(), "1a2b3c@7/acme:EchoService:1.0.0");
//! # Ok::<(), playhouse_types::ParseError>(())
//! ```

mod code;
mod error;
mod id;
mod label;
pub mod limits;
mod log;
mod name;
mod op;
mod request;
mod route;
mod stream;
mod uri;

pub use code::Code;
pub use error::{ActorError, ErrorKind, Fault};
pub use id::{ActorId, ActorType, Realm, Serial};
pub use label::Label;
pub use log::{LOG_FIELDS_MAX, LogText};
pub use name::{Name, ParseError, Version};
pub use op::{
    CryptoOp, Dest, ErrorCategory, ErrorEvent, Event, HashAlgorithm, HostOp, HostReply, KeyPurpose, LogLevel,
    PeerEvent, RuntimeEvent, Schedule, StateChange, StateEntry, StateKey, StateOp, StateVersion, Timer, TimerOp,
    Timestamp,
};
pub use request::RequestId;
pub use route::RouteKey;
pub use stream::{DataChunk, PayloadClass, StreamId};
pub use uri::ActorUri;
