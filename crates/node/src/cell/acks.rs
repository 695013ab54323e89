//! Commits under way, and who waits for them: what an actor says leaves it only when the store has what it was computed from.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use playhouse_store::{Committed, Consumed, Durability, Effects, Fate, Receipt, StoreError};
use playhouse_types::{ActorError, LogLevel};
use tokio::sync::Notify;

use super::Cell;
use super::outcome::{Letter, Reply, Stored, Then};
use super::timers::Changes;
use super::turn::Source;
use crate::clock::now;

/// Messages that may wait for commits before them. A caller waits as long as its message does, but what is told in memory has none: this
/// is as many as a mailbox holds.
const WAITING_MAX: u64 = 1024;

/// What was submitted, in that order.
#[derive(Default)]
pub(super) struct Acks {
    queue: Mutex<Queue>,
    /// Whether a task takes care of what waits. Changed under the lock only.
    attended: AtomicBool,
    /// How many were ever in the queue.
    submitted: AtomicU64,
    /// Of these, those that replies have to wait for.
    held: AtomicUsize,
    /// Lives below this one have lost a commit.
    lost_below: AtomicU32,
    /// How many have ended.
    ended: AtomicU64,
    /// What is about to be submitted.
    coming: AtomicUsize,
    /// Rings when one has ended.
    progress: Notify,
    /// Rings when nothing is under way any more.
    idle: Notify,
}

#[derive(Default)]
struct Queue {
    /// The number of the last one that replies have to wait for.
    held: u64,
    waiting: VecDeque<Ack>,
}

/// Something that is under way, or waits for what is.
struct Ack {
    life: u32,
    held: bool,
    what: What,
    source: Source,
    then: Then,
    outcome: Result<Bytes, ActorError>,
}

enum What {
    /// A commit, and whether it put something into the outbox.
    Commit { receipt: Receipt<Committed>, posts: bool },
    /// What became of a message that was not handled.
    Fate(Fate),
    /// Only what is before it; then this is known.
    Known(Result<(), StoreError>),
}

/// A message that was handled, before it is committed.
pub(super) struct Handled {
    pub(super) life: u32,
    pub(super) class: Durability,
    pub(super) effects: Option<Effects>,
    /// Whether the effects have messages to others.
    pub(super) posts: bool,
    /// What the effects do to timers.
    pub(super) timers: Changes,
    pub(super) source: Source,
    pub(super) then: Then,
    pub(super) outcome: Result<Bytes, ActorError>,
}

impl Acks {
    /// Whether a reply would have to wait.
    pub(super) fn holds(&self) -> bool {
        self.held.load(Ordering::Acquire) > 0
    }

    /// Waits until everything that was submitted by now is as durable as it was to be: before something leaves the actor that may
    /// have been computed from it. What may be forgotten is not waited for.
    pub(super) async fn passed(&self) {
        let last = self.queue.lock().held;
        loop {
            let mut passed = std::pin::pin!(self.progress.notified());
            passed.as_mut().enable();
            if self.ended.load(Ordering::Acquire) >= last {
                return;
            }
            passed.await;
        }
    }

    /// Takes note that a commit of a workload was refused: what comes after it was computed from what never came to be. Whether it is
    /// the first one of that workload.
    pub(super) fn lose(&self, life: u32) -> bool {
        self.lost_below.fetch_max(life.saturating_add(1), Ordering::AcqRel) <= life
    }

    fn passed_one(&self, held: bool) {
        self.held.fetch_sub(usize::from(held), Ordering::AcqRel);
        self.ended.fetch_add(1, Ordering::AcqRel);
        self.progress.notify_waiters();
    }

    /// Whether no commit of a workload has been refused.
    pub(super) fn check(&self, life: u32) -> bool {
        life >= self.lost_below.load(Ordering::Acquire)
    }

    /// Whether anything is under way, or about to be.
    pub(super) fn is_busy(&self) -> bool {
        self.coming.load(Ordering::Acquire) > 0 || self.attended.load(Ordering::Acquire)
    }

    /// Something is about to be submitted: until then, and as long as this lives, it is as if it were under way.
    pub(super) fn coming(&self) -> Coming<'_> {
        self.coming.fetch_add(1, Ordering::AcqRel);
        Coming(self)
    }

    /// Whether so many wait that no more should come.
    pub(super) fn is_full(&self) -> bool {
        self.submitted.load(Ordering::Acquire).saturating_sub(self.ended.load(Ordering::Acquire)) >= WAITING_MAX
    }

    /// Waits until nothing is under way.
    pub(super) async fn idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.idle.notified());
            idle.as_mut().enable();
            if !self.is_busy() {
                return;
            }
            idle.await;
        }
    }
}

/// That something is about to be submitted.
pub(super) struct Coming<'a>(&'a Acks);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.coming.fetch_sub(1, Ordering::AcqRel);
        self.0.idle.notify_waiters();
    }
}

impl Cell {
    /// Commits what a message did, and tells whoever has to hear once that is acknowledged.
    pub(super) fn submit(self: &Arc<Self>, handled: Handled) {
        let Some(durable) = &self.durable else { return };
        let Handled { life, class, mut effects, posts, timers, source, then, outcome } = handled;
        let mut queue = durable.acks.queue.lock();
        if source.is_current() {
            self.change_timers(&mut effects, timers, then.timer());
        }
        let provided = effects.is_some();
        let effects = effects.filter(|effects| !effects.is_empty());
        let committing = effects.is_some();
        let held = durable.acks.holds() || (committing && class > Durability::Memory);
        let mut what = match effects {
            // It could not be given what its commit needs, so nothing of it comes to be, and the store still has it.
            None if then.is_stored() && !provided => What::Known(Err(durable.out_of_order())),
            None => What::Known(durable.check(life)),
            Some(effects) => What::Commit { receipt: source.store.commit(effects, now(), class), posts },
        };
        if !durable.acks.is_busy() {
            let known = match &mut what {
                What::Commit { receipt, .. } => receipt.now_or_never().map(|result| result.map(|_| ())),
                What::Known(result) => Some(result.clone()),
                What::Fate(_) => None,
            };
            if let Some(result) = known {
                drop(queue);
                return self.acknowledged(life, source, then, (outcome, result, posts));
            }
        }
        let refused = matches!(what, What::Known(Err(_)));
        let (then, outcome) = if held || refused { (then, outcome) } else { self.answer_early(then, outcome) };
        queue.waiting.push_back(Ack { life, held, what, source, then, outcome });
        self.attend_acks(queue, held);
    }

    /// Who does not wait for the disk hears at once; the rest is for the time when the store has answered.
    fn answer_early(&self, then: Then, outcome: Result<Bytes, ActorError>) -> (Then, Result<Bytes, ActorError>) {
        match then {
            Then::Reply(reply) => {
                let _ = reply.send(Reply { outcome, begun: true });
                (Then::Hook, Ok(Bytes::new()))
            }
            then => (then, outcome),
        }
    }

    /// Has the store take note of what becomes of a message that crashed its actor, behind all that is under way.
    pub(super) fn submit_fate(self: &Arc<Self>, life: u32, source: Source, letter: Box<Letter>, fate: Fate) {
        let Some(durable) = &self.durable else { return };
        let mut queue = durable.acks.queue.lock();
        let (what, then) = (What::Fate(fate), Then::Nobody(letter));
        queue.waiting.push_back(Ack { life, held: true, what, source, then, outcome: Ok(Bytes::new()) });
        self.attend_acks(queue, true);
    }

    /// Takes note of what was put last into the queue.
    fn attend_acks(self: &Arc<Self>, mut queue: parking_lot::MutexGuard<'_, Queue>, held: bool) {
        let Some(durable) = &self.durable else { return };
        let number = durable.acks.submitted.fetch_add(1, Ordering::AcqRel) + 1;
        if held {
            queue.held = number;
            durable.acks.held.fetch_add(1, Ordering::AcqRel);
        }
        if !durable.acks.attended.swap(true, Ordering::AcqRel) {
            drop(queue);
            self.node.runtime.spawn(Arc::clone(self).acknowledge());
        }
    }

    async fn acknowledge(self: Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        loop {
            let next = {
                let mut queue = durable.acks.queue.lock();
                let next = queue.waiting.pop_front();
                durable.acks.attended.store(next.is_some(), Ordering::Release);
                next
            };
            let Some(mut ack) = next else { break };
            let (result, posts) = match std::mem::replace(&mut ack.what, What::Known(Ok(()))) {
                // Meanwhile what is before it may have been refused.
                What::Known(result) => (result.and_then(|()| durable.check(ack.life)), false),
                What::Commit { receipt, posts } => (receipt.await.map(|_| ()), posts),
                What::Fate(fate) => {
                    self.note_fate(&ack, fate).await;
                    durable.acks.passed_one(true);
                    continue;
                }
            };
            let Ack { life, held, source, then, outcome, .. } = ack;
            self.acknowledged(life, source, then, (outcome, result, posts));
            durable.acks.passed_one(held);
        }
        durable.acks.idle.notify_waiters();
    }

    /// Has the store take note of what becomes of a message. Nothing else is under way, so that there is no waiting for room.
    async fn note_fate(self: &Arc<Self>, ack: &Ack, fate: Fate) {
        let (Then::Nobody(letter), Some(durable)) = (&ack.then, &self.durable) else { return };
        let again = fate == Fate::Again;
        let noted = async {
            let mut effects = ack.source.store.begin().await?;
            match &letter.stored {
                Some(Stored::Message(position)) => effects.consume(Consumed::Message { position: *position, fate }),
                Some(Stored::Timer { name, due }) => {
                    let Fate::Dead { cause, .. } = fate else { return Ok(()) };
                    // If it is not kept, its timer stays set.
                    durable.bury((**letter).clone(), cause).await?;
                    let effects = self.give_up_timer(effects, name, *due).await?;
                    return ack.source.store.commit(effects, now(), Durability::Memory).await.map(drop);
                }
                None => return Ok(()),
            }
            ack.source.store.commit(effects, now(), Durability::Memory).await.map(drop)
        };
        if let Err(error) = noted.await {
            self.log(LogLevel::Error, &format!("that a tell of {} failed was not stored: {error}", letter.route));
            self.reopen_after(&error);
            if !again {
                // It is no dead letter yet, so it is still to be handled.
                self.leave_stored(letter);
                self.read_on();
            }
            return;
        }
        if !again {
            self.hear(Then::Nobody(letter.clone()), Ok(Bytes::new()));
        }
    }

    /// The store has answered, or had nothing to answer: `end` is what the handler said, how the commit ended, and whether it put something
    /// into the outbox.
    fn acknowledged(self: &Arc<Self>, life: u32, source: Source, then: Then, end: End) {
        let Some(durable) = &self.durable else { return };
        let (outcome, result, posts) = end;
        if posts {
            durable.keeper.posted.notify_one();
        }
        match result {
            Ok(()) => self.hear(then, outcome),
            Err(error) => self.refused(life, source, then, &error),
        }
    }
}

/// What the handler said, how the commit ended, and whether it put something into the outbox.
type End = (Result<Bytes, ActorError>, Result<(), StoreError>, bool);

#[cfg(test)]
mod tests;
