use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{Damage, StoreError};
use crate::model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Durability, Enqueue, Epoch, Identity, Lease,
    Letter, LetterId, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued, Recorded, RequestKey, SealedKey,
    Time, Timer, Versioned,
};
use crate::receipt::{Done, Receipt};

/// What keeps actors' mailboxes, state, timers, outgoing messages, replies, dead letters and sealed keys.
///
/// **Writes** take effect in the order in which the methods were called, whether or not anybody waits for their receipts. A write is
/// acknowledged when its [`Durability`] holds; it is visible to every read from then on at the latest. A write that is
/// refused changes nothing, and no other write notices.
///
/// **Reads** see what is committed. They answer at once where the back end is local (a read of one value takes
/// microseconds on the caller's thread; a batch as long as its limits say), so callers keep their limits small.
///
/// **Time** is an argument. A clock that jumps forward makes leases end and replies be forgotten early, one that jumps back
/// makes them stay longer; nothing else depends on it, and epochs keep two owners apart whatever the clocks say.
///
/// One conformance suite runs against every back end: `crates/store/tests/it/conformance.rs`.
pub trait Store: Send + Sync + 'static {
    /// The strongest class that this store can promise. Writes that ask for more are refused.
    fn strongest(&self) -> Durability;

    // Owners.

    /// Makes the actor if it is not there, and gives its epoch to whoever asks: unless somebody else's lease has not ended.
    /// The owner itself may open its actor again, which makes its former epoch stale.
    fn open_actor(&self, open: OpenActor) -> Receipt<Lease>;
    /// Extends a lease until `until`, also one that has ended if nobody has taken the actor since.
    fn renew(&self, actor: ActorKey, epoch: Epoch, until: Time) -> Receipt<()>;
    /// Ends a lease, so that anybody may open the actor at once.
    fn release(&self, actor: ActorKey, epoch: Epoch) -> Receipt<()>;
    /// The actor with that identity, if it was ever opened.
    fn find_actor(&self, identity: &Identity) -> Receipt<Option<ActorInfo>>;
    /// The actor with that key, if there is one.
    fn actor(&self, actor: ActorKey) -> Receipt<Option<ActorInfo>>;
    /// Actors in ascending order of their keys, after `after`.
    fn actors(&self, after: ActorKey, items: usize) -> Receipt<Vec<ActorInfo>>;

    // Messages.

    /// Puts a message into an actor's mailbox: also of an actor that nobody runs at the moment.
    fn enqueue(&self, enqueue: Enqueue) -> Receipt<Accepted>;
    /// What waits in a mailbox after `after`, of that priority, in order of arrival. Reading takes nothing away: messages go when
    /// a commit consumes them, and come again to the next owner if none does.
    fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Receipt<Vec<Queued>>;
    /// Waits for actors that were opened here and whose mailboxes got something by another store: another node, or a program beside
    /// it. Whoever asks once more has looked at what was answered before; a receipt that is dropped was not answered. One waits at a
    /// time. Answers [`Closed`](StoreError::Closed) in the end. `None` if nobody else writes to what this store keeps, or if it is closed.
    fn changed(&self) -> Option<Receipt<Vec<ActorKey>>> {
        None
    }

    /// What is known of a request.
    fn recorded(&self, actor: ActorKey, request: &RequestKey) -> Receipt<Option<Recorded>>;
    /// Forgets replies that are older than the limits of the store. Stores forget by themselves while they write; one
    /// that nobody writes to keeps them until this is called. Answers how many went.
    fn expire_replies(&self, now: Time) -> Receipt<u64>;

    // The commit.

    /// Commits what handling a message did, all of it or nothing.
    fn commit(&self, commit: Commit, done: Done<Committed>);

    // State.

    /// The value of a key.
    fn state(&self, actor: ActorKey, key: &[u8]) -> Receipt<Option<Versioned>>;
    /// Keys and values in ascending order of the keys' bytes, within the bounds. To go on, ask from behind the last key.
    fn scan(&self, actor: ActorKey, range: KeyRange, limits: BatchLimits) -> Receipt<Vec<(Bytes, Versioned)>>;

    // Outbox and timers.

    /// Messages of all actors that are to be delivered, in order of commit, after `after`: also those whose time has not come.
    fn outbox(&self, after: OutId, limits: BatchLimits) -> Receipt<Vec<OutPosted>>;
    /// Takes delivered messages out. Those that are not there any more are passed over.
    fn outbox_done(&self, ids: Vec<OutId>) -> Receipt<()>;
    /// Counts a failed delivery, and puts the next off until `not_before`.
    fn outbox_failed(&self, id: OutId, not_before: Time) -> Receipt<()>;
    /// Timers of all actors that are due at `now`, the earliest first, up to [`BATCH_BYTES_MAX`](crate::limits::BATCH_BYTES_MAX) of what comes
    /// with them. They stay set until a commit consumes them.
    fn timers_due(&self, now: Time, items: usize) -> Receipt<Vec<Timer>>;
    /// When the next timer of all is due.
    fn next_due(&self) -> Receipt<Option<Time>>;
    /// Timers of one actor in order of their names, after `after`, up to the same limit.
    fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Receipt<Vec<Timer>>;

    // Dead letters. The oldest go when there are more than the limits of the store allow.

    /// Keeps a message that was given up without ever being in the mailbox. `None` if it is larger than the whole box.
    fn bury(&self, bury: Bury) -> Receipt<Option<LetterId>>;
    /// Letters, the oldest first, after `after`.
    fn letters(&self, after: LetterId, limits: BatchLimits) -> Receipt<Vec<Letter>>;
    /// One letter.
    fn letter(&self, id: LetterId) -> Receipt<Option<Letter>>;
    /// Moves a letter back into the mailbox of its actor, behind all others and as if never tried, within the limits.
    fn retry_letter(&self, id: LetterId, now: Time, limits: QueueLimits) -> Receipt<Position>;
    /// Forgets a letter. Answers whether it was there.
    fn drop_letter(&self, id: LetterId) -> Receipt<bool>;

    // Sealed keys.

    /// A sealed key of an actor.
    fn sealed_key(&self, actor: ActorKey, name: &str) -> Receipt<Option<Bytes>>;
    /// Sealed keys of all actors in order of actor and name, after these: for sealing them anew.
    fn sealed_keys(&self, after: (ActorKey, String), limits: BatchLimits) -> Receipt<Vec<SealedKey>>;
    /// Puts a key that was sealed anew in place of the old one, if that is still `old`. Answers whether it was.
    fn reseal(&self, key: SealedKey, old: Bytes) -> Receipt<bool>;

    // Notes of the node: what it must not forget and that belongs to no actor.

    /// A note.
    fn note(&self, name: &str) -> Receipt<Option<Bytes>>;
    /// Writes a note, or forgets it. Refused if the note is not `expect` now: of two that write at once, one wins.
    fn set_note(&self, name: &str, expect: Option<Bytes>, value: Option<Bytes>) -> Receipt<()>;

    // Care.

    /// Has writes that nobody waits for ([`Commit::is_forgettable`]) written at once: now somebody does.
    fn hasten(&self);

    /// The folder on this machine that the store has for itself, if it has one: files that need not survive more than the process may
    /// stand there, too.
    fn local_folder(&self) -> Option<&Path> {
        None
    }

    /// Writes a consistent copy of everything to a file that does not exist yet, while all goes on.
    fn backup(&self, to: &Path) -> Receipt<()>;
    /// Looks at everything that is stored and names what is damaged. It reads it all, so it takes its time: on a thread of
    /// its own, while all goes on.
    fn check(&self) -> Receipt<Report>;
    /// How much there is, and what was done since the store was opened.
    fn stats(&self) -> Receipt<Stats>;
    /// Writes what waits, refuses what comes after, and lets go of files and connections.
    fn close(&self) -> Receipt<()>;
}

/// [`Store::commit`] with a receipt.
pub fn commit(store: &dyn Store, commit: Commit) -> Receipt<Committed> {
    let (done, receipt) = Receipt::pending();
    store.commit(commit, done);
    receipt
}

/// Which keys a scan looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it begins.
    pub from: Bound<Bytes>,
    /// Where it ends.
    pub to: Bound<Bytes>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self { from: Bound::Unbounded, to: Bound::Unbounded }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        let from = Bound::Included(Bytes::copy_from_slice(prefix));
        // The first key behind all of them: the prefix with its last byte that is not 0xff raised, and nothing after it.
        let kept = prefix.iter().rposition(|&byte| byte != 0xff);
        let to = kept.map_or(Bound::Unbounded, |last| {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            Bound::Excluded(Bytes::from(end))
        });
        Self { from, to }
    }

    /// The same range without what stands at or before `key`: where a scan goes on.
    #[must_use]
    pub fn after(self, key: Bytes) -> Self {
        Self { from: Bound::Excluded(key), to: self.to }
    }

    /// Whether no key can be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
            _ => false,
        }
    }

    /// Whether a key is in it.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        let above = match &self.from {
            Bound::Included(from) => key >= from.as_ref(),
            Bound::Excluded(from) => key > from.as_ref(),
            Bound::Unbounded => true,
        };
        let below = match &self.to {
            Bound::Included(to) => key <= to.as_ref(),
            Bound::Excluded(to) => key < to.as_ref(),
            Bound::Unbounded => true,
        };
        above && below
    }
}

/// What [`Store::check`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Records that were looked at.
    pub records: u64,
    /// What is damaged, the first [`DAMAGE_LISTED_MAX`](crate::limits::DAMAGE_LISTED_MAX).
    pub damage: Vec<Damage>,
    /// How much more is damaged.
    pub more: u64,
}

impl Report {
    /// Adds a finding, or counts it if there are many.
    pub fn add(&mut self, damage: Damage) {
        if self.damage.len() < crate::limits::DAMAGE_LISTED_MAX {
            self.damage.push(damage);
        } else {
            self.more += 1;
        }
    }
}

/// How much there is in a store, and what was done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Actors that are known.
    pub actors: u64,
    /// Dead letters that are kept.
    pub letters: u64,
    /// Bytes of these.
    pub letters_bytes: u64,
    /// Dead letters that went for want of room, since the store was made.
    pub letters_dropped: u64,
    /// Replies that are remembered.
    pub replies: u64,
    /// Bytes of these.
    pub replies_bytes: u64,
    /// Bytes on the disk.
    pub disk_bytes: u64,
    /// Writes that were acknowledged.
    pub writes: u64,
    /// Groups in which they were written: what one wait for the disk was shared by.
    pub groups: u64,
    /// Writes that wait now.
    pub waiting: u64,
    /// Whether messages are refused because the disk is full.
    pub disk_full: bool,
}

/// What a store keeps of replies and dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long a reply is remembered.
    pub reply_age: Duration,
    /// Bytes of replies that are remembered, in all; the oldest go first.
    pub reply_bytes: u64,
    /// Dead letters that are kept.
    pub letters: u64,
    /// Bytes of dead letters that are kept.
    pub letter_bytes: u64,
}

impl Default for Retention {
    /// Replies: an hour, which is longer than any sender retries, and 256 MiB. Dead letters: 10,000 and 256 MiB.
    fn default() -> Self {
        Self { reply_age: Duration::from_secs(3600), reply_bytes: 256 << 20, letters: 10_000, letter_bytes: 256 << 20 }
    }
}

/// The answer for a class that a store does not have.
pub(crate) fn require(wanted: Durability, has: Durability) -> Result<(), StoreError> {
    if wanted > has { Err(StoreError::DurabilityMissing { wanted, has }) } else { Ok(()) }
}
