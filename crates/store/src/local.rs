//! What back ends have in common that read on the caller's thread and make [changes](crate::core::Change).

use std::path::Path;

use crate::memory::MemoryStore;
use crate::sqlite::SqliteStore;

/// Where a back end has its files.
pub(crate) trait Local {
    fn place(&self) -> Option<&Path>;
}

impl Local for SqliteStore {
    fn place(&self) -> Option<&Path> {
        Some(self.folder())
    }
}

impl Local for MemoryStore {
    fn place(&self) -> Option<&Path> {
        None
    }
}

/// Implements [`Store`](crate::Store) by the type's `submit`, `submit_to`, `read`, `strongest_class`, `hurry`, `back_up`, `look_over`,
/// `count` and `shut`.
macro_rules! local_store {
    ($store:ty) => {
        impl Store for $store {
            fn strongest(&self) -> Durability {
                self.strongest_class()
            }

            fn open_actor(&self, open: OpenActor) -> Receipt<Lease> {
                self.submit(open)
            }

            fn renew(&self, actor: ActorKey, epoch: Epoch, until: Time) -> Receipt<()> {
                self.submit(Renew { actor, epoch, until })
            }

            fn release(&self, actor: ActorKey, epoch: Epoch) -> Receipt<()> {
                self.submit(Release { actor, epoch })
            }

            fn find_actor(&self, identity: &Identity) -> Receipt<Option<ActorInfo>> {
                self.read(|rows| match rows.actor_named(identity)? {
                    Some(actor) => rows.actor(actor),
                    None => Ok(None),
                })
            }

            fn actor(&self, actor: ActorKey) -> Receipt<Option<ActorInfo>> {
                self.read(|rows| rows.actor(actor))
            }

            fn actors(&self, after: ActorKey, items: usize) -> Receipt<Vec<ActorInfo>> {
                self.read(|rows| rows.actors(after, items.min($crate::limits::BATCH_ITEMS_MAX)))
            }

            fn enqueue(&self, enqueue: Enqueue) -> Receipt<Accepted> {
                self.submit(enqueue)
            }

            fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Receipt<Vec<Queued>> {
                self.read(|rows| rows.queued(actor, after, limits.bounded()))
            }

            fn recorded(&self, actor: ActorKey, request: &RequestKey) -> Receipt<Option<Recorded>> {
                self.read(|rows| Ok(rows.request(actor, request)?.map(Recorded::from)))
            }

            fn expire_replies(&self, now: Time) -> Receipt<u64> {
                self.submit(ExpireReplies(now))
            }

            fn commit(&self, commit: Commit, done: Done<Committed>) {
                self.submit_to(commit, done);
            }

            fn state(&self, actor: ActorKey, key: &[u8]) -> Receipt<Option<Versioned>> {
                self.read(|rows| rows.state(actor, key))
            }

            fn scan(&self, actor: ActorKey, range: KeyRange, limits: BatchLimits) -> Receipt<Vec<(Bytes, Versioned)>> {
                self.read(|rows| rows.scan(actor, &range, limits.bounded()))
            }

            fn outbox(&self, after: OutId, limits: BatchLimits) -> Receipt<Vec<OutPosted>> {
                self.read(|rows| rows.outbox(after, limits.bounded()))
            }

            fn outbox_done(&self, ids: Vec<OutId>) -> Receipt<()> {
                self.submit(OutboxDone(ids))
            }

            fn outbox_failed(&self, id: OutId, not_before: Time) -> Receipt<()> {
                self.submit(OutboxFailed { id, not_before })
            }

            fn timers_due(&self, now: Time, items: usize) -> Receipt<Vec<Timer>> {
                self.read(|rows| rows.timers_due(now, items.min($crate::limits::BATCH_ITEMS_MAX)))
            }

            fn next_due(&self) -> Receipt<Option<Time>> {
                self.read(|rows| rows.next_due())
            }

            fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Receipt<Vec<Timer>> {
                self.read(|rows| rows.timers(actor, after, items.min($crate::limits::BATCH_ITEMS_MAX)))
            }

            fn bury(&self, bury: Bury) -> Receipt<Option<LetterId>> {
                self.submit(bury)
            }

            fn letters(&self, after: LetterId, limits: BatchLimits) -> Receipt<Vec<Letter>> {
                self.read(|rows| rows.letters(after, limits.bounded()))
            }

            fn letter(&self, id: LetterId) -> Receipt<Option<Letter>> {
                self.read(|rows| rows.letter(id))
            }

            fn retry_letter(&self, id: LetterId, now: Time, limits: QueueLimits) -> Receipt<Position> {
                self.submit(RetryLetter { id, now, limits })
            }

            fn drop_letter(&self, id: LetterId) -> Receipt<bool> {
                self.submit(DropLetter(id))
            }

            fn sealed_key(&self, actor: ActorKey, name: &str) -> Receipt<Option<Bytes>> {
                self.read(|rows| rows.sealed_key(actor, name))
            }

            fn sealed_keys(&self, after: (ActorKey, String), limits: BatchLimits) -> Receipt<Vec<SealedKey>> {
                self.read(|rows| rows.sealed_keys(&after, limits.bounded()))
            }

            fn reseal(&self, key: SealedKey, old: Bytes) -> Receipt<bool> {
                self.submit(Reseal { key, old })
            }

            fn note(&self, name: &str) -> Receipt<Option<Bytes>> {
                self.read(|rows| rows.note(name))
            }

            fn set_note(&self, name: &str, expect: Option<Bytes>, value: Option<Bytes>) -> Receipt<()> {
                self.submit(SetNote { name: name.to_owned(), expect, value })
            }

            fn hasten(&self) {
                self.hurry();
            }

            fn local_folder(&self) -> Option<&Path> {
                $crate::local::Local::place(self)
            }

            fn backup(&self, to: &Path) -> Receipt<()> {
                self.back_up(to)
            }

            fn check(&self) -> Receipt<Report> {
                self.look_over()
            }

            fn stats(&self) -> Receipt<Stats> {
                self.count()
            }

            fn close(&self) -> Receipt<()> {
                self.shut()
            }
        }
    };
}

pub(crate) use local_store;
