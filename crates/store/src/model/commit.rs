use bytes::Bytes;

use super::actor::{ActorKey, Epoch, Revision, Usage};
use super::change::{KeyChange, StateChange, TimerChange};
use super::message::{Message, OutId, Position, RequestKey};
use super::time::{Durability, Time};

/// All that handling one message did, or several: either all of it happens or nothing.
///
/// Commits of one actor carry ascending revisions without a gap and are submitted in that order; there is no need to wait
/// for one before the next. If one is refused, those behind it are refused too
/// ([`PredecessorFailed`](crate::StoreError::PredecessorFailed)), and the revision of the refused one is the next to be
/// used.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Whose.
    pub actor: ActorKey,
    /// The epoch of the owner's lease.
    pub epoch: Epoch,
    /// The revision after that of the actor's last commit.
    pub revision: Revision,
    /// The time.
    pub now: Time,
    /// When it is acknowledged.
    pub durability: Durability,
    /// What was handled, and what becomes of it.
    pub consumed: Vec<Consumed>,
    /// Changes of the state, each key at most once.
    pub state: Vec<StateChange>,
    /// Messages that are to be delivered after the commit.
    pub outbox: Vec<OutMessage>,
    /// Changes of timers, each at most once; after those that were consumed have gone.
    pub timers: Vec<TimerChange>,
    /// Changes of sealed keys, each at most once.
    pub keys: Vec<KeyChange>,
    /// The reply to a request that was handled without being queued, to answer its repetitions with.
    pub reply: Option<RecordedReply>,
    /// What the actor may keep after the commit.
    pub quota: Quota,
}

impl Commit {
    /// A commit that does nothing yet.
    #[must_use]
    pub fn new(actor: ActorKey, epoch: Epoch, revision: Revision, now: Time, durability: Durability) -> Self {
        Self {
            actor,
            epoch,
            revision,
            now,
            durability,
            consumed: Vec::new(),
            state: Vec::new(),
            outbox: Vec::new(),
            timers: Vec::new(),
            keys: Vec::new(),
            reply: None,
            quota: Quota::default(),
        }
    }

    /// Whether it only says that messages were handled. If that is lost they are handled again, and do nothing again. In class
    /// [`memory`](Durability::Memory) such a commit may be written, and acknowledged, together with a later write, or some milliseconds later
    /// if none comes.
    #[must_use]
    pub fn is_forgettable(&self) -> bool {
        let rest = self.timers.is_empty() && self.keys.is_empty() && self.reply.is_none();
        rest && self.state.is_empty() && self.outbox.is_empty() && self.consumed.iter().all(Consumed::is_forgettable)
    }
}

impl Consumed {
    /// Whether it is a message that is done with and has no reply.
    #[must_use]
    pub(crate) fn is_forgettable(&self) -> bool {
        matches!(self, Self::Message { fate: Fate::Done { reply: None }, .. })
    }
}

/// What was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consumed {
    /// A message of the mailbox. Refused if it is not there any more.
    Message {
        /// Where it stands.
        position: Position,
        /// What becomes of it.
        fate: Fate,
    },
    /// A timer that was due. Refused if it is not set any more, or for another time.
    Timer {
        /// Its name.
        name: String,
        /// When it was due.
        due: Time,
    },
}

/// What becomes of a message that was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is done with and leaves the mailbox. If it has a request id, repetitions are answered with the reply.
    Done {
        /// The answer, in whatever form the caller of the store chose.
        reply: Option<Bytes>,
    },
    /// It stays where it is, and has been tried once more.
    Again,
    /// It moves to the dead letters.
    Dead {
        /// Why, for people.
        cause: String,
        /// As in [`Fate::Done`].
        reply: Option<Bytes>,
    },
}

/// A message to somebody, to be delivered after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutMessage {
    /// To whom, in whatever form the caller of the store chose: 1 to [`TARGET_BYTES_MAX`](crate::limits::TARGET_BYTES_MAX) bytes.
    pub target: String,
    /// Not to be delivered before.
    pub not_before: Time,
    /// The message.
    pub message: Message,
}

/// The reply to a request, to answer its repetitions with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedReply {
    /// The request.
    pub request: RequestKey,
    /// The answer, in whatever form the caller of the store chose.
    pub reply: Bytes,
}

/// What an actor may keep. A commit after which it would keep more is refused by the name of the field, unless it
/// makes it less than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Keys of its state.
    pub state_keys: u64,
    /// Bytes of its state, keys and values.
    pub state_bytes: u64,
    /// Timers.
    pub timers: u64,
    /// Messages that are to be delivered elsewhere.
    pub outbox: u64,
    /// Sealed keys.
    pub sealed_keys: u64,
}

impl Default for Quota {
    /// 1 Mi keys, 256 MiB, 1,024 timers, 16 Ki outgoing messages, 256 sealed keys.
    fn default() -> Self {
        Self { state_keys: 1 << 20, state_bytes: 256 << 20, timers: 1024, outbox: 16 << 10, sealed_keys: 256 }
    }
}

/// The answer to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The id of the first message of the commit's outbox, if it had any; the others follow without a gap.
    pub first_out: Option<OutId>,
    /// What the actor keeps now.
    pub usage: Usage,
}
