//! One actor's view of its store, above all back ends: commits under way and the message at hand are visible to the actor before
//! the disk has them.

mod effects;
mod merge;
mod overlay;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::contract::Store;
use crate::error::StoreError;
use crate::model::{Commit, Committed, Durability, Lease, Quota, Time};
use crate::receipt::{Done, Receipt};

pub use self::effects::{EFFECTS_BYTES_MAX, EFFECTS_CHANGES_MAX, Effects};

use self::overlay::{Overlay, UnderWay};

/// Commits of one actor that may be under way before its next message waits: the callers of one actor that one wait for the disk
/// is shared by.
pub const COMMITS_UNDER_WAY_MAX: usize = 256;
/// Bytes of values in commits under way, after which the next message waits.
pub const BYTES_UNDER_WAY_MAX: u64 = 16 << 20;

/// What the node holds of an actor that it runs: the way to its state, and to its commits.
///
/// For each message, [`begin`](Self::begin), let the actor read and write through the [`Effects`], and
/// [`commit`](Self::commit) or drop them. There is no need to wait for a commit before the next message begins: it reads what the
/// one before it wrote. If a commit is refused, those that began before that was known are refused too
/// ([`PredecessorFailed`](StoreError::PredecessorFailed)); their messages have to be handled again.
///
/// Cloning is cheap; clones are the same actor.
#[derive(Clone)]
pub struct ActorStore(Arc<Shared>);

pub(crate) struct Shared {
    store: Arc<dyn Store>,
    lease: Lease,
    quota: Quota,
    /// Held while a commit gets its revision and goes to the store.
    order: Mutex<()>,
    pipeline: Arc<Pipeline>,
}

/// What the answers to commits need. Not the store: an answer may be the last to go, on the store's own thread.
struct Pipeline {
    overlay: Mutex<Overlay>,
    /// Told when a commit has ended.
    ended: Notify,
}

impl ActorStore {
    /// The actor of a lease that was just given: nothing of it may be under way.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, lease: Lease, quota: Quota) -> Self {
        let overlay = Mutex::new(Overlay::new(lease.revision, lease.usage));
        let pipeline = Arc::new(Pipeline { overlay, ended: Notify::new() });
        Self(Arc::new(Shared { store, lease, quota, order: Mutex::new(()), pipeline }))
    }

    /// The lease, as it was given.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.0.lease
    }

    /// The store that the actor is in.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The effects of a message that is about to be handled. Waits while too much is under way; or for all of it while the
    /// actor is about to reach its quota, because commits that are refused take those behind them along.
    ///
    /// # Errors
    /// If the actor belongs to somebody else now, or the store failed: it cannot go on.
    pub async fn begin(&self) -> Result<Effects, StoreError> {
        loop {
            let mut ended = std::pin::pin!(self.0.pipeline.ended.notified());
            ended.as_mut().enable();
            if let Some(effects) = self.try_begin()? {
                return Ok(effects);
            }
            self.0.store.hasten();
            ended.await;
        }
    }

    /// As [`begin`](Self::begin), or `None` where that would wait.
    ///
    /// # Errors
    /// As there.
    pub fn try_begin(&self) -> Result<Option<Effects>, StoreError> {
        let overlay = self.0.pipeline.overlay.lock();
        let ready = overlay.is_ready(&self.0.quota)?;
        Ok(ready.then(|| Effects::new(Arc::clone(&self.0), overlay.generation())))
    }

    /// Counts the commits that were refused. Effects of one generation see nothing that a refused commit of it has written.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.overlay().generation()
    }

    /// Commits effects. They are visible to messages that begin from now on; the receipt says when they are as durable as
    /// `durability` says. Who asked for [`Durability::Memory`] need not wait for it.
    ///
    /// Effects that do nothing cost nothing. Those of class `memory` that do nothing but [forget messages](Effects::is_forgettable) are
    /// written with what comes next.
    pub fn commit(&self, effects: Effects, now: Time, durability: Durability) -> Receipt<Committed> {
        let Lease { actor, epoch, .. } = self.0.lease;
        // Commits reach the store in the order of their revisions.
        let order = self.0.order.lock();
        let mut overlay = self.0.pipeline.overlay.lock();
        if effects.is_empty() {
            return Receipt::ready(Ok(Committed { first_out: None, usage: overlay.usage() }));
        }
        let revision = match overlay.admit(effects.generation(), actor) {
            Ok(revision) => revision,
            Err(error) => return Receipt::ready(Err(error)),
        };
        let mut commit = Commit::new(actor, epoch, revision, now, durability);
        commit.quota = self.0.quota;
        effects.fill(&mut commit);
        let under_way = overlay.cover(&commit);
        // The store may answer at once, and the answer takes this lock.
        drop(overlay);
        let (done, receipt) = Receipt::pending();
        let pipeline = Arc::clone(&self.0.pipeline);
        self.0.store.commit(commit, Done::call(move |result| pipeline.end(under_way, result, done)));
        drop(order);
        receipt
    }
}

impl Shared {
    fn overlay(&self) -> MutexGuard<'_, Overlay> {
        self.pipeline.overlay.lock()
    }
}

impl Pipeline {
    /// A commit has ended: its effects leave the overlay, and whoever waits hears.
    fn end(&self, under_way: UnderWay, result: Result<Committed, StoreError>, done: Done<Committed>) {
        self.overlay.lock().end(under_way, &result);
        self.ended.notify_waiters();
        done.answer(result);
    }
}

impl std::fmt::Debug for ActorStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ActorStore({}, epoch {})", self.0.lease.actor, self.0.lease.epoch)
    }
}

#[cfg(test)]
mod tests;
