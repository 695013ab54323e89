use bytes::Bytes;

use super::actor::ActorKey;
use super::time::{Durability, Time};
use crate::limits::{BATCH_BYTES_MAX, BATCH_ITEMS_MAX};

/// Whether somebody waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Nobody does.
    Tell,
    /// The caller does.
    Call,
}

/// Which of an actor's two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before all normal messages.
    Signal,
    /// In order of arrival.
    Normal,
}

/// A message as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether somebody waits.
    pub kind: MessageKind,
    /// Which queue it waits in.
    pub priority: Priority,
    /// Who sent it, at most [`CALLER_BYTES_MAX`](crate::limits::CALLER_BYTES_MAX) bytes; empty for the application around the node.
    pub caller: String,
    /// The id by which the caller repeats it, if it may repeat it, at most 256 bytes.
    pub request: Option<String>,
    /// The method, at most 512 bytes.
    pub route: String,
    /// The encoded argument, at most 64 MiB.
    pub payload: Bytes,
    /// When the caller gives up. The store does not look at it.
    pub deadline: Option<Time>,
    /// What else the node needs to deliver it, such as trace and call chain: at most [`CONTEXT_BYTES_MAX`](crate::limits::CONTEXT_BYTES_MAX) bytes. The store does not look at it.
    pub context: Bytes,
}

impl Message {
    /// What a queue's limit counts: the bytes of all its parts and [`MESSAGE_OVERHEAD_BYTES`](crate::limits::MESSAGE_OVERHEAD_BYTES).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let request = self.request.as_ref().map_or(0, String::len);
        let parts = self.caller.len() + request + self.route.len() + self.payload.len() + self.context.len();
        parts as u64 + crate::limits::MESSAGE_OVERHEAD_BYTES
    }

    /// The key by which repetitions are known, if it has a request id.
    #[must_use]
    pub fn request_key(&self) -> Option<RequestKey> {
        Some(RequestKey { caller: self.caller.clone(), request: self.request.clone()? })
    }
}

/// What tells one request to an actor from every other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    /// Who asks; ids are the caller's own.
    pub caller: String,
    /// The id that it gave.
    pub request: String,
}

/// Where a message stands in its actor's mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which queue.
    pub priority: Priority,
    /// The number, ascending in order of arrival and not used twice. The first is greater than 0.
    pub seq: u64,
}

impl Position {
    /// Before every message of that queue.
    #[must_use]
    pub const fn start(priority: Priority) -> Self {
        Self { priority, seq: 0 }
    }
}

/// A message for an actor's mailbox.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// Whose mailbox.
    pub to: ActorKey,
    /// The message.
    pub message: Message,
    /// The time.
    pub now: Time,
    /// What the mailbox may hold with this message.
    pub limits: QueueLimits,
    /// When it is acknowledged.
    pub durability: Durability,
    /// Which message of the outbox it is, if it is one.
    pub delivers: Option<Delivers>,
}

/// A message of the outbox on its way into a mailbox of the same store. It leaves the one and enters the other in one write, so that it
/// arrives once, however often it is tried; it needs no request id for that, and must have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivers {
    /// Its id. If it is not in the outbox any more it has arrived: it is a [`Duplicate`](Accepted::Duplicate).
    pub id: OutId,
    /// The one before it on the same way, if what became of that is not known yet: while that is in the outbox it goes first, and this one is
    /// [refused](crate::StoreError::OutOfTurn). So several can be on their way at once, and none overtakes one that was not taken.
    pub behind: Option<OutId>,
}

/// What a mailbox may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages.
    pub messages: u64,
    /// Bytes, by [`Message::bytes`].
    pub bytes: u64,
}

impl Default for QueueLimits {
    /// 1 Mi messages, 1 GiB: a durable queue is there to hold what comes while its actor is away.
    fn default() -> Self {
        Self { messages: 1 << 20, bytes: 1 << 30 }
    }
}

/// What became of a message for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is in the mailbox.
    Queued(Position),
    /// The same request came before, and [`Store::recorded`](crate::Store::recorded) says what became of it; or what it
    /// [delivers](Enqueue::delivers) was delivered before.
    Duplicate,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It waits in the mailbox, or runs.
    Pending(Position),
    /// It was handled, with this reply.
    Answered(Option<Bytes>),
}

/// A message in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Where it stands.
    pub position: Position,
    /// When it came.
    pub at: Time,
    /// How often it has been tried.
    pub attempts: u32,
    /// The message.
    pub message: Message,
}

/// How much a read may return. At least one item is returned if there is one, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Items.
    pub items: usize,
    /// Bytes of payload, values or whatever the items carry.
    pub bytes: usize,
}

impl Default for BatchLimits {
    /// 256 items, 1 MiB: what an actor handles in a few milliseconds.
    fn default() -> Self {
        Self { items: 256, bytes: 1 << 20 }
    }
}

impl BatchLimits {
    /// These limits, within those of any read.
    pub(crate) fn bounded(self) -> Self {
        Self { items: self.items.min(BATCH_ITEMS_MAX), bytes: self.bytes.min(BATCH_BYTES_MAX) }
    }

    pub(crate) fn start(self) -> Batch {
        Batch { limits: self, items: 0, bytes: 0 }
    }
}

/// What a read has returned so far.
pub(crate) struct Batch {
    limits: BatchLimits,
    items: usize,
    bytes: u64,
}

impl Batch {
    /// Whether an item of so many bytes still fits; the first always does.
    pub(crate) fn takes(&mut self, bytes: u64) -> bool {
        let fits = self.bytes.saturating_add(bytes) <= self.limits.bytes as u64;
        if self.items >= self.limits.items || (self.items > 0 && !fits) {
            return false;
        }
        self.items += 1;
        self.bytes += bytes;
        true
    }
}

/// Which message of the outbox. Ids ascend in order of commit and are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OutId(u64);

impl OutId {
    /// The id with this number; 0 is before the first.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutPosted {
    /// Its id.
    pub id: OutId,
    /// Who sends it.
    pub actor: ActorKey,
    /// How often delivery has failed.
    pub attempts: u32,
    /// What is to be delivered, to whom and when.
    pub out: super::commit::OutMessage,
}

/// Which dead letter. Ids ascend and are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LetterId(u64);

impl LetterId {
    /// The letter with this number; 0 is before the first.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: LetterId,
    /// For whom it was.
    pub actor: ActorKey,
    /// When it was given up.
    pub at: Time,
    /// Why, for people.
    pub cause: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The message, byte for byte.
    pub message: Message,
}

/// A message that was given up without ever being in the mailbox.
#[derive(Debug, Clone)]
pub struct Bury {
    /// For whom it was.
    pub actor: ActorKey,
    /// The time.
    pub now: Time,
    /// Why, at most [`CAUSE_BYTES_MAX`](crate::limits::CAUSE_BYTES_MAX) bytes; longer ones are cut.
    pub cause: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The message.
    pub message: Message,
}

/// A timer of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Whose.
    pub actor: ActorKey,
    /// Its name.
    pub name: String,
    /// When it is due.
    pub due: Time,
    /// What comes with it.
    pub body: Bytes,
}

/// A sealed key of an actor.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Whose.
    pub actor: ActorKey,
    /// Its name.
    pub name: String,
    /// The key, sealed.
    pub blob: Bytes,
}

impl std::fmt::Debug for SealedKey {
    /// Without the blob.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({}, {})", self.actor, self.name)
    }
}
