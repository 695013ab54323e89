use bytes::Bytes;

use crate::contract::KeyRange;
use crate::error::StoreError;
use crate::model::{
    ActorInfo, ActorKey, BatchLimits, Identity, Letter, LetterId, OutId, OutPosted, Position, Queued, RequestKey,
    Revision, SealedKey, Time, Timer, Versioned,
};

type Result<T> = std::result::Result<T, StoreError>;

/// What belongs to the whole store and changes with every group.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Counters {
    /// Groups that were committed.
    #[prost(uint64, tag = "1")]
    pub(crate) group: u64,
    /// The last numbers that were given out.
    #[prost(uint64, tag = "2")]
    pub(crate) actor: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) seq: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) out: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) letter: u64,
    /// Dead letters that are kept, and that had to go.
    #[prost(uint64, tag = "6")]
    pub(crate) letters: u64,
    #[prost(uint64, tag = "7")]
    pub(crate) letters_bytes: u64,
    #[prost(uint64, tag = "8")]
    pub(crate) letters_dropped: u64,
    /// Replies that are kept.
    #[prost(uint64, tag = "9")]
    pub(crate) replies: u64,
    #[prost(uint64, tag = "10")]
    pub(crate) replies_bytes: u64,
}

/// What consuming a message needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brief {
    pub(crate) bytes: u64,
    pub(crate) request: Option<RequestKey>,
}

/// What is kept of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Pending(Position),
    Answered { at: Time, reply: Option<Bytes> },
}

/// What is kept of a request, without the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownBrief {
    Pending,
    /// What the reply counts for.
    Answered {
        bytes: u64,
    },
}

/// A reply that may have to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyBrief {
    pub(crate) actor: ActorKey,
    pub(crate) request: RequestKey,
    pub(crate) at: Time,
    pub(crate) bytes: u64,
}

/// What a remembered reply counts for.
pub(crate) fn reply_bytes(request: &RequestKey, reply: Option<&Bytes>) -> u64 {
    let parts = request.caller.len() + request.request.len() + reply.map_or(0, Bytes::len);
    parts as u64 + crate::limits::MESSAGE_OVERHEAD_BYTES
}

/// The rows of a store, read. Every row that is returned whole was checked against its checksum.
pub(crate) trait Reads {
    fn counters(&self) -> Result<Counters>;

    fn actor(&self, actor: ActorKey) -> Result<Option<ActorInfo>>;
    fn actor_named(&self, identity: &Identity) -> Result<Option<ActorKey>>;
    fn actors(&self, after: ActorKey, items: usize) -> Result<Vec<ActorInfo>>;

    fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Result<Vec<Queued>>;
    fn queued_at(&self, actor: ActorKey, position: Position) -> Result<Option<Queued>>;
    fn queued_brief(&self, actor: ActorKey, position: Position) -> Result<Option<Brief>>;

    fn request(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<Known>>;
    /// What is known of a request, without looking at the reply.
    fn request_brief(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<KnownBrief>>;
    /// Replies, the oldest first.
    fn oldest_replies(&self, items: usize) -> Result<Vec<ReplyBrief>>;

    fn state(&self, actor: ActorKey, key: &[u8]) -> Result<Option<Versioned>>;
    /// The bytes of a value, without looking at it.
    fn state_bytes(&self, actor: ActorKey, key: &[u8]) -> Result<Option<u64>>;
    fn scan(&self, actor: ActorKey, range: &KeyRange, limits: BatchLimits) -> Result<Vec<(Bytes, Versioned)>>;

    fn outbox(&self, after: OutId, limits: BatchLimits) -> Result<Vec<OutPosted>>;
    fn out(&self, id: OutId) -> Result<Option<OutPosted>>;
    /// Who sends a message of the outbox, without looking at it.
    fn out_actor(&self, id: OutId) -> Result<Option<ActorKey>>;

    fn timer(&self, actor: ActorKey, name: &str) -> Result<Option<Timer>>;
    fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Result<Vec<Timer>>;
    fn timers_due(&self, now: Time, items: usize) -> Result<Vec<Timer>>;
    fn next_due(&self) -> Result<Option<Time>>;

    fn letters(&self, after: LetterId, limits: BatchLimits) -> Result<Vec<Letter>>;
    fn letter(&self, id: LetterId) -> Result<Option<Letter>>;
    /// The bytes of a letter, without looking at it.
    fn letter_bytes(&self, id: LetterId) -> Result<Option<u64>>;
    /// The oldest letter after `after` and its bytes, without looking at it.
    fn oldest_letter(&self, after: LetterId) -> Result<Option<(LetterId, u64)>>;

    fn sealed_key(&self, actor: ActorKey, name: &str) -> Result<Option<Bytes>>;
    fn sealed_keys(&self, after: &(ActorKey, String), limits: BatchLimits) -> Result<Vec<SealedKey>>;
    fn note(&self, name: &str) -> Result<Option<Bytes>>;
}

/// The rows of a store within a group of changes, which becomes durable as a whole.
pub(crate) trait Rows: Reads {
    /// Calls of the methods below, successful or not, but for those that found that there was nothing to be done. A change that
    /// fails without one has changed nothing.
    fn writes(&self) -> u64;

    fn put_counters(&mut self, counters: &Counters) -> Result<()>;
    fn add_actor(&mut self, actor: &ActorInfo) -> Result<()>;
    fn put_actor(&mut self, actor: &ActorInfo) -> Result<()>;
    fn put_queued(&mut self, actor: ActorKey, queued: &Queued) -> Result<()>;
    /// Deletes what is in one queue of a mailbox, up to the number `last`.
    fn delete_queued(&mut self, actor: ActorKey, first: Position, last: u64) -> Result<()>;
    /// Takes note of a request that waits. Answers whether nothing was known of it; if something was, that stays.
    fn add_request(&mut self, actor: ActorKey, request: &RequestKey, waits: Position) -> Result<bool>;
    fn put_request(&mut self, actor: ActorKey, request: &RequestKey, known: &Known) -> Result<()>;
    fn delete_request(&mut self, actor: ActorKey, request: &RequestKey) -> Result<()>;
    fn put_state(&mut self, actor: ActorKey, key: &Bytes, value: &Bytes, version: Revision) -> Result<()>;
    fn delete_state(&mut self, actor: ActorKey, key: &[u8]) -> Result<()>;
    fn put_out(&mut self, out: &OutPosted) -> Result<()>;
    fn delete_out(&mut self, id: OutId) -> Result<()>;
    fn put_timer(&mut self, timer: &Timer) -> Result<()>;
    fn delete_timer(&mut self, actor: ActorKey, name: &str) -> Result<()>;
    fn put_letter(&mut self, letter: &Letter) -> Result<()>;
    fn delete_letter(&mut self, id: LetterId) -> Result<()>;
    fn put_sealed_key(&mut self, key: &SealedKey) -> Result<()>;
    fn delete_sealed_key(&mut self, actor: ActorKey, name: &str) -> Result<()>;
    fn put_note(&mut self, name: &str, value: &Bytes) -> Result<()>;
    fn delete_note(&mut self, name: &str) -> Result<()>;
}
