//! What an actor must not lose: its mailbox, state, timers, outgoing messages, replies, dead letters and keys, behind one
//! contract, with a back end in memory, one on SQLite and, with the feature `postgres`, one on Postgres.

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

pub use actor::{ActorStore, BYTES_UNDER_WAY_MAX, COMMITS_UNDER_WAY_MAX, EFFECTS_BYTES_MAX, Effects};
pub use contract::{KeyRange, Report, Retention, Stats, Store, commit};
pub use error::{Damage, StoreError};
pub use memory::MemoryStore;
pub use model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Consumed, Durability, Enqueue, Epoch, Expect,
    Fate, Identity, KeyChange, Lease, Letter, LetterId, Message, MessageKind, OpenActor, OutId, OutMessage, OutPosted,
    Position, Priority, QueueLimits, Queued, Quota, Recorded, RecordedReply, RequestKey, Revision, SealedKey,
    StateChange, Time, Timer, TimerChange, Usage, Versioned,
};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresError, PostgresOptions, PostgresStore};
pub use receipt::{Done, Receipt};
pub use sqlite::{DangerSync, OpenError, SqliteOptions, SqliteStore};
