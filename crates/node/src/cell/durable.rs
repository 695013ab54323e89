//! What an actor has on a node with a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use playhouse_engine::Outcome;
use playhouse_store::{
    ActorKey, ActorStore, Bury, Epoch, LetterId, Message, MessageKind, Priority, QueueLimits, Receipt, RequestKey,
    StoreError,
};
use playhouse_types::{ActorError, ActorId, LogLevel, RequestId, RouteKey};
use tokio::sync::Notify;

use super::acks::Acks;
use super::intake::Intake;
use super::outcome::Letter;
use super::suspects::Suspects;
use super::timers::Timers;
use super::{Cell, Setup};
use crate::clock::now;
use crate::durability::Classes;
use crate::keeper::{Keeper, Taken};

/// How long after a store took nothing a lease is given back again: as long as a group of writes takes on a slow disk.
const RELEASE_RETRY: Duration = Duration::from_millis(20);

pub(crate) struct Durable {
    pub(super) keeper: Arc<Keeper>,
    pub(super) key: ActorKey,
    pub(super) classes: Classes,
    name: Taken,
    /// The actor as it was opened last.
    view: Mutex<ActorStore>,
    /// Whether the actor has to be opened again before its next workload: the store did not say what became of a commit, or gave the actor
    /// to somebody else.
    reopen: AtomicBool,
    /// Rings when it has been opened again.
    pub(super) reopened: Notify,
    /// Whether the node's keeper knew the actor when this was last made sure of: what was stored past it before is visible since.
    known: AtomicBool,
    pub(super) acks: Acks,
    pub(super) intake: Intake,
    pub(super) timers: Timers,
    pub(super) suspects: Suspects,
}

impl Durable {
    /// Opens the actor of that name.
    pub(crate) async fn open(keeper: &Arc<Keeper>, name: Taken, setup: &Setup) -> Result<Self, StoreError> {
        let classes = Classes::new(&setup.options.durability, keeper.store.strongest())?;
        let suspects = Suspects::look(keeper, name.identity(), setup).await?;
        let lease = keeper.open(name.identity()).await?;
        let intake = Intake::default();
        intake.fall_behind();
        Ok(Self {
            keeper: Arc::clone(keeper),
            key: lease.actor,
            classes,
            name,
            view: Mutex::new(keeper.view(lease, setup.options.quota)),
            reopen: AtomicBool::new(false),
            reopened: Notify::new(),
            known: AtomicBool::new(false),
            acks: Acks::default(),
            intake,
            timers: Timers::default(),
            suspects,
        })
    }

    pub(super) fn instance(&self) -> &str {
        &self.name.identity().instance
    }

    /// The actor as it was opened last.
    pub(crate) fn view(&self) -> ActorStore {
        self.view.lock().clone()
    }

    /// The error of what follows a commit that was refused.
    pub(super) fn out_of_order(&self) -> StoreError {
        let lease = *self.view().lease();
        StoreError::PredecessorFailed { actor: lease.actor, given: lease.revision, last: lease.revision }
    }

    /// Waits until no commit is under way.
    pub(super) async fn idle(&self) {
        self.keeper.store.hasten();
        self.acks.idle().await;
    }

    /// Whether what a workload of that life says may be true: no commit of it was refused.
    pub(super) fn check(&self, life: u32) -> Result<(), StoreError> {
        if self.acks.check(life) { Ok(()) } else { Err(self.out_of_order()) }
    }

    pub(super) fn must_reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    pub(super) fn is_to_reopen(&self) -> bool {
        self.reopen.load(Ordering::Acquire)
    }

    /// Waits until nothing of former workloads is under way, and opens the actor again if it has to be.
    pub(super) async fn settle(&self, cell: &Cell) -> Result<(), StoreError> {
        self.idle().await;
        // Meanwhile the actor may have been stopped, and another one may have its name.
        if self.reopen.load(Ordering::Acquire) {
            let opened = self.keeper.ask_for(self.key, cell, |keeper| keeper.open(self.name.identity()));
            *self.view.lock() = self.keeper.view(opened.await?, cell.setup.options.quota);
            self.reopen.store(false, Ordering::Release);
            self.reopened.notify_waiters();
            // Whoever had it meanwhile may have left something, and a commit whose outcome was not known may have posted something.
            self.intake.look_again();
            self.keeper.posted.notify_one();
        }
        if !self.known.load(Ordering::Acquire) {
            let lease = *self.view().lease();
            let known =
                self.keeper.ask_for(self.key, cell, |keeper| keeper.store.renew(lease.actor, lease.epoch, lease.until));
            known.await?;
            self.known.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Ends the lease of that cell.
    pub(super) fn let_go(&self, cell: &Cell) -> Receipt<()> {
        self.keeper.release(self.key, self.view().lease().epoch, cell)
    }

    pub(super) fn release(&self, cell: &Cell) -> Receipt<()> {
        self.timers.disarm(&self.keeper, self.key);
        let released = self.let_go(cell);
        self.name.give_back();
        released
    }

    /// Waits until a lease has been given back. A store that takes nothing at the moment, because so many actors end at once, is asked again.
    pub(super) async fn released(&self, mut released: Receipt<()>, cell: &Cell) {
        while let Err(StoreError::Busy { .. }) = released.await {
            tokio::time::sleep(RELEASE_RETRY).await;
            released = self.let_go(cell);
        }
        // What it has sent goes on without it.
        self.keeper.look_anew();
    }
}

/// Under which key the store knows a request.
pub(super) fn request_key(caller: Option<&ActorId>, request: &RequestId) -> RequestKey {
    RequestKey { caller: caller.map(ToString::to_string).unwrap_or_default(), request: request.to_string() }
}

/// How a recorded reply begins that is one.
const REPLIED: u8 = 0;
/// How a recorded reply begins that is the text of an error.
const FAILED: u8 = 1;

/// The outcome of a request as the store keeps it.
pub(super) fn recorded_reply(outcome: &Outcome) -> Bytes {
    let (kind, bytes) = match outcome {
        Ok(reply) => (REPLIED, reply.clone()),
        Err(failure) => (FAILED, Bytes::from(failure.clone().into_error().to_text())),
    };
    [&[kind], bytes.as_ref()].concat().into()
}

/// The outcome of a request that the store kept.
pub(super) fn outcome_of(mut recorded: Bytes) -> Result<Bytes, ActorError> {
    match recorded.first() {
        Some(&REPLIED) => Ok(recorded.split_off(1)),
        Some(_) => Err(ActorError::from_text(&String::from_utf8_lossy(&recorded[1..]))),
        None => Ok(recorded),
    }
}

/// A tell as the store keeps it.
pub(super) fn message(from: Option<&ActorId>, route: RouteKey, payload: Bytes) -> Message {
    Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: from.map(ToString::to_string).unwrap_or_default(),
        request: None,
        route: route.as_str().to_owned(),
        payload,
        deadline: None,
        context: Bytes::new(),
    }
}

impl Durable {
    /// Keeps a letter that was never in the store's mailbox.
    pub(super) fn bury(&self, letter: Letter, cause: String) -> Receipt<Option<LetterId>> {
        let message = message(letter.from.as_ref(), letter.route, letter.payload);
        self.keeper.store.bury(Bury { actor: self.key, now: now(), cause, attempts: letter.attempts, message })
    }
}

impl Cell {
    /// Keeps a letter that was in memory only, so that nobody waits for it. If the store does not take it, it is gone, and the log says so.
    pub(super) fn bury_stored(&self, durable: &Durable, letter: Letter, cause: &ActorError) {
        let route = letter.route.clone();
        let mut buried = durable.bury(letter, cause.to_text());
        let Some(cell) = self.me.upgrade() else { return };
        let note = move |result: Result<Option<LetterId>, StoreError>| {
            let lost = match result {
                Ok(Some(_)) => return cell.gate.lock().tallies.dead_letters += 1,
                Ok(None) => "it is larger than all letters that are kept".to_owned(),
                Err(error) => error.to_string(),
            };
            cell.log(LogLevel::Error, &format!("a tell of {route} is lost, it became no dead letter: {lost}"));
        };
        match (&mut buried).now_or_never() {
            Some(result) => note(result),
            None => drop(self.node.runtime.spawn(async move { note(buried.await) })),
        }
    }

    /// Lets the node's keeper know the actor.
    pub(crate) fn register(self: &Arc<Self>) {
        if let Some(durable) = &self.durable {
            durable.keeper.insert(durable.key, self);
        }
    }

    /// What may wait for the actor in the store.
    pub(crate) fn stored_limits(&self) -> QueueLimits {
        self.setup.options.stored
    }

    /// Looks for messages that came to the store by another way.
    pub(crate) fn look_again(self: &Arc<Self>) {
        if let Some(durable) = &self.durable {
            durable.intake.look_again();
            let roused = self.gate.lock().rouse();
            self.queued(false, None, roused);
            self.read_on();
        }
    }

    /// The actor's key and epoch in the node's store.
    pub(crate) fn lease(&self) -> Option<(ActorKey, Epoch)> {
        let durable = self.durable.as_ref()?;
        Some((durable.key, durable.view().lease().epoch))
    }

    /// A lease could not be renewed. If the actor belongs to somebody else, it ends here.
    pub(crate) fn lease_lost(self: &Arc<Self>, epoch: Epoch, error: StoreError) {
        let current = self.lease().is_some_and(|(_, current)| current == epoch);
        if current && matches!(error, StoreError::StaleEpoch { .. }) {
            let life = self.gate.lock().life;
            self.lost(life, &error);
        }
    }
}
