//! What one message of an actor on a node with a store may do, until it is committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use playhouse_engine::{Context, Host, HostFuture};
use playhouse_store::{ActorStore, Effects, StoreError};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, HostOp, LogLevel};
use tokio::sync::{Mutex, MutexGuard};

use super::Cell;
use super::timers::Changes;

/// Where the host operations of one message go. Used again for the next message if nobody has kept it.
pub(crate) struct Turn {
    me: Weak<Self>,
    cell: Weak<Cell>,
    source: Source,
    /// Whether anything was asked for that may have effects.
    touched: AtomicBool,
    /// Whether anything left the actor that cannot be taken back.
    spoke: AtomicBool,
    /// That the store failed an operation of the message.
    failure: parking_lot::Mutex<Option<ActorError>>,
    /// Async, because reading may wait for a server. Held for one operation.
    slot: Mutex<Slot>,
}

/// Where the effects of one workload's messages come from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) store: ActorStore,
    /// The refusals that the workload is newer than. After another one its memory is ahead of the store.
    pub(super) generation: u64,
}

/// The turns of one workload.
pub(super) struct Turns {
    source: Source,
    spare: Option<Arc<Turn>>,
}

#[derive(Default)]
pub(crate) struct Slot {
    effects: Option<Effects>,
    /// Timers that the message has set or cancelled itself.
    pub(super) timers: Changes,
    /// Whether the message sends anything.
    pub(super) posts: bool,
    /// An operation failed half-way: what the message did must not be committed.
    pub(super) broken: Option<ActorError>,
    ended: bool,
}

/// What a message has done.
#[derive(Default)]
pub(super) struct Done {
    pub(super) effects: Option<Effects>,
    pub(super) timers: Changes,
    pub(super) posts: bool,
    pub(super) broken: Option<ActorError>,
    /// Whether something left the actor that cannot be taken back.
    pub(super) spoke: bool,
}

impl Source {
    pub(super) fn new(store: ActorStore) -> Self {
        let generation = store.generation();
        Self { store, generation }
    }

    /// Whether no commit was refused since the workload was made.
    pub(super) fn is_current(&self) -> bool {
        self.store.generation() == self.generation
    }

    fn check(&self, effects: Effects) -> Result<Effects, StoreError> {
        if effects.generation() == self.generation {
            return Ok(effects);
        }
        let lease = self.store.lease();
        Err(StoreError::PredecessorFailed { actor: lease.actor, given: lease.revision, last: lease.revision })
    }

    /// The effects of a message; none if it has to wait.
    pub(super) fn try_begin(&self) -> Result<Option<Effects>, StoreError> {
        self.store.try_begin()?.map(|effects| self.check(effects)).transpose()
    }

    pub(super) async fn begin(&self) -> Result<Effects, StoreError> {
        self.check(self.store.begin().await?)
    }
}

impl Turns {
    pub(super) const fn new(source: Source) -> Self {
        Self { source, spare: None }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn take(&mut self, cell: &Weak<Cell>) -> Arc<Turn> {
        self.spare.take().unwrap_or_else(|| Turn::new(cell.clone(), self.source.clone()))
    }

    /// Keeps a turn for the next message if nobody else has it.
    pub(super) fn put_back(&mut self, turn: Arc<Turn>) {
        if Arc::strong_count(&turn) == 1 && !turn.is_touched() {
            turn.spoke.store(false, Ordering::Release);
            self.spare = Some(turn);
        }
    }
}

impl Turn {
    pub(super) fn new(cell: Weak<Cell>, source: Source) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            cell,
            source,
            touched: AtomicBool::new(false),
            spoke: AtomicBool::new(false),
            failure: parking_lot::Mutex::default(),
            slot: Mutex::default(),
        })
    }

    /// Makes it as new, for the next message. Nobody else has it.
    pub(super) fn renew(&self) {
        if let Ok(mut slot) = self.slot.try_lock() {
            *slot = Slot::default();
            *self.failure.lock() = None;
            self.touched.store(false, Ordering::Release);
            self.spoke.store(false, Ordering::Release);
        }
    }

    /// Takes note that something leaves the actor that cannot be taken back.
    pub(super) fn speak(&self) {
        self.spoke.store(true, Ordering::Release);
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Takes note of how an operation of the message ended.
    pub(super) fn note(&self, error: &ActorError) {
        let of_store = matches!(
            error.code(),
            Code::StoreFailed
                | Code::StoreUnreachable
                | Code::WriteUnknown
                | Code::StoreBusy
                | Code::CommitOrder
                | Code::StaleEpoch
                | Code::NodeStopping
        );
        if of_store {
            *self.failure.lock() = Some(error.clone());
        }
    }

    /// The failure of the store that the message has met.
    pub(super) fn failure(&self) -> Option<ActorError> {
        if self.is_touched() { self.failure.lock().clone() } else { None }
    }

    /// Whether the message may have effects.
    pub(super) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Acquire)
    }

    /// Gives the message effects before it asks for any.
    pub(super) fn begin_with(&self, effects: Effects) {
        if let Ok(mut slot) = self.slot.try_lock() {
            self.touched.store(true, Ordering::Release);
            slot.effects = Some(effects);
        }
    }

    /// The message at hand, for one operation.
    pub(crate) async fn slot(&self) -> Result<MutexGuard<'_, Slot>, ActorError> {
        self.touched.store(true, Ordering::Release);
        let mut slot = self.slot.lock().await;
        if slot.ended {
            let text = "the message has been handled";
            return Err(ActorError::coded(ErrorKind::InvalidArgument, Code::MalformedOperation, text));
        }
        if slot.effects.is_none() {
            slot.effects = Some(self.source.begin().await?);
        }
        Ok(slot)
    }

    /// What the message has done; it does no more from now on.
    pub(super) fn end(&self) -> Done {
        if !self.is_touched() {
            return Done::default();
        }
        let Ok(mut slot) = self.slot.try_lock() else {
            let text = "an operation goes on although its message has been handled";
            let broken = Some(ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, text));
            return Done { broken, ..Done::default() };
        };
        let Slot { effects, timers, posts, broken, .. } = std::mem::take(&mut *slot);
        slot.ended = true;
        Done { effects, timers, posts, broken, spoke: self.spoke.load(Ordering::Acquire) }
    }
}

impl Slot {
    /// The effects of the message.
    pub(crate) fn effects(&mut self) -> Result<&mut Effects, ActorError> {
        self.effects.as_mut().ok_or_else(|| ActorError::from(StoreError::Closed))
    }
}

impl Host for Turn {
    fn perform(&self, context: &Context, op: HostOp) -> HostFuture {
        let (Some(me), Some(cell)) = (self.me.upgrade(), self.cell.upgrade()) else {
            let error = ActorError::coded(ErrorKind::Unavailable, Code::ActorStopped, "the actor is gone");
            return Box::pin(std::future::ready(Err(error)));
        };
        cell.perform_in(Some(me), context, op)
    }

    fn log(&self, actor: &ActorId, level: LogLevel, text: &str) {
        if let Some(cell) = self.cell.upgrade() {
            cell.log_of(actor, level, text);
        }
    }
}
