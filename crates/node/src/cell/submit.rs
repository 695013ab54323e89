//! How messages get to an actor.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhouse_scheduler::{CallChain, FullPolicy, Key, Offer, Priority, WaitId};
use playhouse_types::{ActorError, ActorId, Event, RequestId, RouteKey, RuntimeEvent};
use tokio::sync::oneshot;

use super::outcome::{Letter, Then};
use super::refusal::chain_error;
use super::{Cell, Envelope, Gate, Work};
use crate::shared::Shared;

/// A request to one actor.
pub(crate) struct Request {
    pub(crate) route: RouteKey,
    pub(crate) payload: Bytes,
    pub(crate) caller: Option<ActorId>,
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
enum Queued {
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
        self.call_any(request).await
    }

    pub(super) async fn call_any(self: &Arc<Self>, request: Request) -> Result<Bytes, ActorError> {
        let Request { route, payload, caller, request_id, deadline, chain, priority } = request;
        let event = Event::Request { route, payload };
        let key = self.key(caller.as_ref(), &event);
        let envelope = Envelope { caller, request_id, deadline: Some(deadline), chain };
        if let Some((run, workload)) = self.try_start(key) {
            let running = workload.run(self.context(envelope), event);
            return self.run_here(run, running, deadline).await;
        }
        let (reply, answer) = oneshot::channel();
        let waiting = self.wait_for_turn(&envelope)?;
        let wait = waiting.as_ref().map(Waiting::id);
        self.enqueue(Work { event, envelope, then: Then::Reply(reply), wait }, priority, key, false).await?;
        self.await_answer(answer, deadline).await
    }

    /// Takes note that the actors of a chain wait for this one, which is busy; an error if it waits for one of them itself.
    /// Actors that a chain may come back to are not noted: that one call of theirs waits does not block the others.
    fn wait_for_turn(&self, envelope: &Envelope) -> Result<Option<Waiting>, ActorError> {
        let mut waiters = envelope.chain.actors();
        let blocked = |id| self.node.directory.get(id).is_some_and(|cell| !cell.setup.reentrant);
        if envelope.chain.depth() == 0 || self.setup.reentrant || !waiters.all(blocked) {
            return Ok(None);
        }
        let id = self.node.waits.lock().add(&envelope.chain, &self.id)?;
        Ok(Some(Waiting { node: Arc::clone(&self.node), id }))
    }

    /// Sends a request whose answer nobody awaits; returns once it is queued.
    pub(crate) async fn tell(self: &Arc<Self>, request: Request) -> Result<(), ActorError> {
        if request.payload.len() > self.node.policy.message_bytes_max {
            return Err(self.too_large(request.payload.len()));
        }
        let Request { route, payload, caller, request_id, deadline, chain: _, priority } = request;
        let letter = Letter { from: caller.clone(), route: route.clone(), payload: payload.clone(), attempts: 0 };
        let event = Event::Request { route, payload };
        let key = self.key(caller.as_ref(), &event);
        let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root() };
        let work = Work { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None };
        self.enqueue_until(work, priority, key, deadline).await
    }

    /// Queues an event of the node's own, which goes before messages; dropped if even the reserve for signals is full.
    pub(super) fn signal(self: &Arc<Self>, event: Event) {
        if let Some(request_id) = event.request_id() {
            let envelope = Envelope { caller: None, request_id, deadline: None, chain: CallChain::root() };
            let _ =
                self.try_enqueue(Work { event, envelope, then: Then::Hook, wait: None }, Priority::Signal, Key::NONE);
        }
    }

    fn check(&self, request: &Request) -> Result<(), ActorError> {
        if request.payload.len() > self.node.policy.message_bytes_max {
            return Err(self.too_large(request.payload.len()));
        }
        if self.setup.reentrant || request.chain.depth() == 0 {
            return Ok(());
        }
        request.chain.check(&self.id).map_err(chain_error)
    }

    pub(super) async fn enqueue(
        self: &Arc<Self>,
        work: Work,
        priority: Priority,
        key: Key,
        wait: bool,
    ) -> Result<(), ActorError> {
        let deadline = work.envelope.deadline.unwrap_or_else(|| Instant::now() + crate::options::TIMEOUT);
        match self.try_enqueue(work, priority, key) {
            Queued::Yes => Ok(()),
            Queued::Refused(error) => Err(error),
            Queued::NoRoom(work) if wait || self.setup.options.mailbox.full == FullPolicy::Wait => {
                self.enqueue_when_room(*work, priority, key, deadline).await
            }
            Queued::NoRoom(_) => Err(self.reject()),
        }
    }

    async fn enqueue_until(
        self: &Arc<Self>,
        work: Work,
        priority: Priority,
        key: Key,
        deadline: Instant,
    ) -> Result<(), ActorError> {
        match self.try_enqueue(work, priority, key) {
            Queued::Yes => Ok(()),
            Queued::Refused(error) => Err(error),
            Queued::NoRoom(work) if self.setup.options.mailbox.full == FullPolicy::Wait => {
                self.enqueue_when_room(*work, priority, key, deadline).await
            }
            Queued::NoRoom(_) => Err(self.reject()),
        }
    }

    async fn enqueue_when_room(
        self: &Arc<Self>,
        mut work: Work,
        priority: Priority,
        key: Key,
        deadline: Instant,
    ) -> Result<(), ActorError> {
        let _watch = self.watch();
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.try_enqueue(work, priority, key) {
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
    fn try_enqueue(self: &Arc<Self>, work: Work, priority: Priority, key: Key) -> Queued {
        let bytes = work.bytes();
        let mut gate = self.gate.lock();
        if let Some(error) = self.closed(&gate) {
            drop(gate);
            return Queued::Refused(error);
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
        drop(gate);
        for work in dropped {
            self.refuse(work, &self.full());
        }
        if wake {
            self.wake();
        }
        if let Some(event) = pressure {
            self.signal(Event::Runtime(event));
        }
        Queued::Yes
    }

    /// Whether one message could be queued now, without queueing it; otherwise it counts as dropped.
    pub(super) fn offer_or_drop(self: &Arc<Self>, work: Work, key: Key) -> Result<(), ActorError> {
        match self.try_enqueue(work, Priority::Normal, key) {
            Queued::Yes => Ok(()),
            Queued::Refused(error) => Err(error),
            Queued::NoRoom(_) => {
                self.gate.lock().tallies.chunks_dropped += 1;
                Ok(())
            }
        }
    }

    pub(super) async fn await_answer(
        &self,
        answer: oneshot::Receiver<Result<Bytes, ActorError>>,
        deadline: Instant,
    ) -> Result<Bytes, ActorError> {
        match self.node.until(deadline, answer).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(self.stopped()),
            None => Err(self.late()),
        }
    }
}

impl Gate {
    /// Tells the workload once when four fifths of its mailbox are taken, and again after it fell below half.
    fn pressure(&mut self) -> Option<RuntimeEvent> {
        let (len, capacity) = (self.mailbox.len(), self.mailbox.capacity());
        let threshold = capacity - capacity / 5;
        if self.pressed {
            self.pressed = len * 2 >= capacity;
            return None;
        }
        if len < threshold.max(1) {
            return None;
        }
        self.pressed = true;
        Some(RuntimeEvent::MailboxBackpressure { queue_len: len as u64, threshold: threshold as u64 })
    }
}
