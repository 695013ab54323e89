//! The values that the contract speaks of.

mod actor;
mod change;
mod commit;
mod message;
mod time;

pub use actor::{ActorInfo, ActorKey, Epoch, Identity, Lease, OpenActor, Revision, Usage};
pub use change::{Expect, KeyChange, StateChange, TimerChange, Versioned};
pub use commit::{Commit, Committed, Consumed, Fate, OutMessage, Quota, RecordedReply};
pub use message::{
    Accepted, BatchLimits, Bury, Delivers, Enqueue, Letter, LetterId, Message, MessageKind, OutId, OutPosted, Position,
    Priority, QueueLimits, Queued, Recorded, RequestKey, SealedKey, Timer,
};
pub use time::{Durability, Time};
