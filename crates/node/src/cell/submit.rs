//! How messages get to an actor.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhouse_scheduler::{CallChain, FullPolicy, Key, Offer, Priority, WaitId};
use playhouse_types::{ActorError, ActorId, Event, RequestId, RouteKey, RuntimeEvent};
use tokio::sync::oneshot;

use super::contained::begin_contained;
use super::outcome::{Letter, Reply, Then};
use super::refusal::chain_error;
use super::{Cell, Envelope, Gate, Work};
use crate::shared::Shared;

/// A request to one actor.
pub(crate) struct Request {
    pub(crate) route: RouteKey,
    pub(crate) payload: Bytes,
    pub(crate) caller: Option<ActorId>,
    /// Which of those for whom the application calls; 0 for itself.
    pub(crate) client: u64,
    pub(crate) request_id: RequestId,
    pub(crate) deadline: Instant,
    pub(crate) chain: CallChain,
    pub(crate) priority: Priority,
}

/// A wait that ends with its caller; or before, when the callee begins.
struct Waiting {
    node: Arc<Shared>,
    id: WaitId,
}

impl Waiting {
    fn id(&self) -> WaitId {
        self.id
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.node.begun(Some(self.id));
    }
}

/// What became of an attempt to queue a message.
pub(super) enum Queued {
    Yes,
    Refused(ActorError),
    NoRoom(Box<Work>),
}

impl Cell {
    /// Sends a request and awaits the reply.
    pub(crate) async fn call(self: &Arc<Self>, request: Request) -> Result<Bytes, ActorError> {
        self.check(&request)?;
        if request.request_id.is_external() {
            return self.call_once(request).await;
        }
        let patience = request.deadline;
        self.call_any(request, patience).await.outcome
    }

    /// As [`Self::call`] without a check. The reply is awaited until `patience` ends; the request's own deadline says until when it
    /// may begin.
    pub(super) async fn call_any(self: &Arc<Self>, request: Request, patience: Instant) -> Reply {
        let Request { route, payload, caller, client, request_id, deadline, chain, priority } = request;
        let recorded = request_id.is_external() && client == 0;
        let event = Event::Request { route, payload };
        let key = self.key(caller.as_ref(), &event);
        let envelope = Envelope { caller, request_id, deadline: Some(deadline), chain, recorded };
        if let Some((mut run, workload)) = self.try_start(key, &envelope) {
            let context = self.context(&mut run, envelope, &event);
            let running = begin_contained(workload, context, event);
            return self.run_here(run, running, patience).await;
        }
        if self.comes_back(&envelope)
            && let Some((mut run, workload)) = self.start_nested(key, &envelope)
        {
            let context = self.context(&mut run, envelope, &event);
            let running = begin_contained(workload, context, event);
            return self.run_on(run, running, patience).await;
        }
        let (reply, answer) = oneshot::channel();
        let waiting = match self.wait_for_turn(&envelope) {
            Ok(waiting) => waiting,
            Err(error) => return Reply::refused(error),
        };
        let wait = waiting.as_ref().map(Waiting::id);
        let work = Work { event, envelope, then: Then::Reply(reply), wait, priority };
        if let Err(error) = self.enqueue(work, key, deadline).await {
            return Reply::refused(error);
        }
        self.await_answer(answer, patience).await
    }

    /// Whether a message of this actor waits for the one in this envelope.
    fn comes_back(&self, envelope: &Envelope) -> bool {
        self.setup.reentrant && envelope.chain.actors().any(|actor| *actor == self.id)
    }

    /// Takes note that the actors of a chain wait for this one, which is busy; an error if it waits for one of them itself.
    /// Only actors that handle one message at a time are noted: that one call of another's waits does not block its others.
    fn wait_for_turn(&self, envelope: &Envelope) -> Result<Option<Waiting>, ActorError> {
        let mut waiters = envelope.chain.actors();
        let blocked = |id| self.node.directory.get(id).is_some_and(|cell| cell.setup.serial);
        if envelope.chain.depth() == 0 || !self.setup.serial || !waiters.all(blocked) {
            return Ok(None);
        }
        let id = self.node.waits.lock().add(&envelope.chain, &self.id)?;
        Ok(Some(Waiting { node: Arc::clone(&self.node), id }))
    }

    /// Sends a request whose answer nobody awaits; returns once it is queued.
    pub(crate) async fn tell(self: &Arc<Self>, request: Request) -> Result<(), ActorError> {
        if request.payload.len() > self.node.given.policy.message_bytes_max {
            return Err(self.too_large(request.payload.len()));
        }
        let stored = self.durable.as_ref().and_then(|durable| durable.classes.tell(&request.route));
        if request.request_id.is_external() && (stored.is_none() || request.client != 0) {
            return self.tell_once(request).await;
        }
        self.tell_any(request).await
    }

    /// As [`Self::tell`] without a check.
    pub(super) async fn tell_any(self: &Arc<Self>, request: Request) -> Result<(), ActorError> {
        if let Some(class) = self.durable.as_ref().and_then(|durable| durable.classes.tell(&request.route)) {
            return self.tell_stored(request, class).await;
        }
        let Request { route, payload, caller, client: _, request_id, deadline, chain: _, priority } = request;
        let mut letter = Letter::new(caller.clone(), route.clone(), payload.clone());
        letter.priority = priority;
        let event = Event::Request { route, payload };
        let key = self.key(caller.as_ref(), &event);
        let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root(), recorded: false };
        let work = Work { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None, priority };
        self.enqueue(work, key, deadline).await
    }

    /// Queues an event of the node's own, which goes before messages; dropped if even the reserve for signals is full.
    pub(super) fn signal(self: &Arc<Self>, event: Event) {
        if let Some(request_id) = event.request_id() {
            let chain = CallChain::root();
            let envelope = Envelope { caller: None, request_id, deadline: None, chain, recorded: false };
            let priority = Priority::Signal;
            let work = Work { event, envelope, then: Then::Hook, wait: None, priority };
            if let Queued::NoRoom(_) = self.try_enqueue(work, Key::NONE) {
                self.gate.lock().tallies.signals_dropped += 1;
            }
        }
    }

    fn check(&self, request: &Request) -> Result<(), ActorError> {
        if request.payload.len() > self.node.given.policy.message_bytes_max {
            return Err(self.too_large(request.payload.len()));
        }
        if self.setup.reentrant || request.chain.depth() == 0 {
            return Ok(());
        }
        request.chain.check(&self.id).map_err(chain_error)
    }

    /// Queues a message; where the policy says so, waits for room until the deadline.
    async fn enqueue(self: &Arc<Self>, work: Work, key: Key, deadline: Instant) -> Result<(), ActorError> {
        match self.try_enqueue(work, key) {
            Queued::Yes => Ok(()),
            Queued::Refused(error) => Err(error),
            Queued::NoRoom(work) if self.setup.options.mailbox.full == FullPolicy::Wait => {
                self.enqueue_when_room(*work, key, deadline).await
            }
            Queued::NoRoom(_) => Err(self.reject()),
        }
    }

    /// Queues a message, waiting for room until the deadline.
    pub(super) async fn enqueue_when_room(
        self: &Arc<Self>,
        mut work: Work,
        key: Key,
        deadline: Instant,
    ) -> Result<(), ActorError> {
        let _watch = self.watch();
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.try_enqueue(work, key) {
                Queued::Yes => return Ok(()),
                Queued::Refused(error) => return Err(error),
                Queued::NoRoom(back) => work = *back,
            }
            if self.node.until(deadline, changed).await.is_none() {
                return Err(self.reject());
            }
        }
    }

    /// Queues a message if there is room, whatever the policy says about waiting.
    pub(super) fn try_enqueue(self: &Arc<Self>, work: Work, key: Key) -> Queued {
        let (bytes, priority) = (work.bytes(), work.priority);
        let mut gate = self.gate.lock();
        if let Some(error) = self.closed(&gate) {
            drop(gate);
            return Queued::Refused(error);
        }
        if gate.would_shed_stored(priority, bytes) {
            return Queued::NoRoom(Box::new(work));
        }
        let (dropped, wake) = match gate.mailbox.offer(work, priority, key, bytes) {
            Offer::Queued { wake } => (Vec::new(), wake),
            Offer::Full(work) => return Queued::NoRoom(Box::new(work)),
            Offer::Shed { dropped, wake } => {
                gate.tallies.rejected += dropped.len() as u64;
                (dropped, wake)
            }
        };
        let pressure = gate.pressure();
        let roused = gate.rouse();
        drop(gate);
        for work in dropped {
            self.refuse(work, &self.full());
        }
        self.queued(wake, pressure, roused);
        Queued::Yes
    }

    /// What follows when a message has been queued.
    pub(super) fn queued(self: &Arc<Self>, wake: bool, pressure: Option<RuntimeEvent>, roused: bool) {
        if roused {
            self.node.runtime.spawn(Arc::clone(self).revive(Instant::now()));
        }
        if wake {
            self.wake();
        }
        if let Some(event) = pressure {
            self.signal(Event::Runtime(event));
        }
    }

    /// Whether one message could be queued now, without queueing it; otherwise it counts as dropped.
    pub(super) fn offer_or_drop(self: &Arc<Self>, work: Work, key: Key) -> Result<(), ActorError> {
        match self.try_enqueue(work, key) {
            Queued::Yes => Ok(()),
            Queued::Refused(error) => Err(error),
            Queued::NoRoom(_) => {
                self.gate.lock().tallies.chunks_dropped += 1;
                Ok(())
            }
        }
    }

    pub(super) async fn await_answer(&self, answer: oneshot::Receiver<Reply>, patience: Instant) -> Reply {
        match self.node.until(patience, answer).await {
            Some(Ok(reply)) => reply,
            Some(Err(_)) => Reply { outcome: Err(self.stopped()), begun: true },
            None => Reply { outcome: Err(self.late()), begun: true },
        }
    }
}

impl Gate {
    /// Whether room could be made only beside messages that the store has. Those are not shed: they would come again from there, behind what
    /// their senders have sent after them.
    fn would_shed_stored(&self, priority: Priority, bytes: usize) -> bool {
        self.mailbox.config().full == FullPolicy::Shed
            && priority == Priority::Normal
            && !self.mailbox.has_room(priority, bytes)
            && self.mailbox.any(|work| work.then.is_stored())
    }

    /// Tells the workload once when four fifths of its mailbox are taken, and again after it fell below half.
    pub(super) fn pressure(&mut self) -> Option<RuntimeEvent> {
        let (len, capacity) = (self.mailbox.len(), self.mailbox.capacity());
        let threshold = capacity - capacity / 5;
        if self.flow.pressed {
            self.flow.pressed = len * 2 >= capacity;
            return None;
        }
        if len < threshold.max(1) {
            return None;
        }
        self.flow.pressed = true;
        Some(RuntimeEvent::MailboxBackpressure { queue_len: len as u64, threshold: threshold as u64 })
    }
}
