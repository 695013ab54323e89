//! What an actor must not lose — its mailbox, state, timers, outgoing messages, replies and keys — behind one contract, with a
//! back end in memory, one on SQLite and, with the feature `postgres`, one on Postgres.
//!
//! Start from [`Store`], the contract; [`SqliteStore`] and [`MemoryStore`] implement it. A node that runs an actor goes through
//! [`ActorStore`], which lets the next message see what the one before it wrote while the disk is still at work, and keeps
//! what one message does together in [`Effects`]: committed as a whole, or dropped as a whole.
//!
//! The crate is *not* a general database. It knows no clock (every [`Time`] is an argument), starts no runtime (a
//! [`Receipt`] is a plain future, and can be waited for on a thread), and sees of keys only what is sealed already.
//!
//! # What survives
//!
//! A write is acknowledged when its [`Durability`] holds, and not before:
//!
//! | class | acknowledged when | survives |
//! |---|---|---|
//! | [`memory`](Durability::Memory) | it is visible in this process | nothing: it may be lost with the process, but never half of it |
//! | [`fsync`](Durability::Fsync) | the disk of this machine has it | kill -9, a power cut, not the loss of the disk |
//! | [`quorum`](Durability::Quorum) | the disks of a majority have it | the loss of a machine |
//!
//! A back end refuses a class that is stronger than its [`strongest`](Store::strongest): `MemoryStore` has `memory`,
//! `SqliteStore` has `fsync`. One that is weaker than what the back end does anyway costs as much to store; who asked for
//! `memory` just need not wait for the receipt.
//!
//! Everything of one [`Commit`] happens or nothing: what was consumed, the state, the outgoing messages, the timers, the
//! keys, the reply. An owner whose [`Epoch`] is stale is refused by the store itself. Requests that come again are known by
//! caller and request id, across restarts, for as long as [`Retention`] says.
//!
//! # Units
//!
//! Times are milliseconds since the Unix epoch. Bytes of messages count by [`Message::bytes`], bytes of state by the
//! lengths of keys and values. Limits are in [`limits`].
//!
//! ```
//! use std::time::Duration;
//!
//! use playhouse_store::{
//!     Commit, Durability, Expect, Identity, MemoryStore, OpenActor, Retention, StateChange, Store, Time, commit,
//! };
//!
//! let store = MemoryStore::new(Retention::default());
//! let identity = Identity {
//!     realm: playhouse_types::Realm::new(7),
//!     manufacturer: "acme".parse()?,
//!     type_name: "Counter".parse()?,
//!     instance: "one".to_owned(),
//! };
//! let now = Time::from_millis(1_000);
//! let open = OpenActor { identity, owner: "this node".to_owned(), now, lease_for: Duration::from_secs(30) };
//! let lease = store.open_actor(open).wait()?;
//!
//! let mut change = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now, Durability::Memory);
//! change.state.push(StateChange { key: "count".into(), expect: Expect::Absent, value: Some("1".into()) });
//! commit(&store, change).wait()?;
//!
//! let found = store.state(lease.actor, b"count").wait()?.expect("it was just written");
//! assert_eq!(found.value, "1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actor;
mod contract;
mod core;
mod error;
pub mod limits;
mod local;
mod memory;
mod model;
#[cfg(feature = "postgres")]
mod postgres;
mod receipt;
mod record;
mod sqlite;
mod waiting;

pub use actor::{
    ActorStore, BYTES_UNDER_WAY_MAX, COMMITS_UNDER_WAY_MAX, EFFECTS_BYTES_MAX, EFFECTS_CHANGES_MAX, Effects,
};
pub use contract::{KeyRange, Report, Retention, Stats, Store, commit};
pub use error::{Damage, StoreError};
pub use memory::MemoryStore;
pub use model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Consumed, Delivers, Durability, Enqueue,
    Epoch, Expect, Fate, Identity, KeyChange, Lease, Letter, LetterId, Message, MessageKind, OpenActor, OutId,
    OutMessage, OutPosted, Position, Priority, QueueLimits, Queued, Quota, Recorded, RecordedReply, RequestKey,
    Revision, SealedKey, StateChange, Time, Timer, TimerChange, Usage, Versioned,
};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresError, PostgresOptions, PostgresStore};
pub use receipt::{Done, Receipt};
pub use sqlite::{DangerSync, OpenError, RUNNING_FILE, SqliteOptions, SqliteStore};
