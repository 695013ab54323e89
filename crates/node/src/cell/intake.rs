//! Tells on their way from the store into the mailbox.
//!
//! The store has them first. What then does not fit the mailbox stays there, and is read in again, in order, when there is room; until
//! then later tells go to the store only. One task at a time takes care of it, so that a message is neither put in twice nor passed over.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::{Mutex, MutexGuard};
use playhouse_scheduler::{CallChain, Offer};
use playhouse_store::{
    Accepted, BatchLimits, Delivers, Durability, Enqueue, Message, MessageKind, Position, Priority, Queued, Receipt,
    StoreError,
};
use playhouse_types::{ActorError, ActorId, Event, LogLevel, RequestId};
use tokio::sync::oneshot;

use super::outcome::{Letter, Stored, Then};
use super::submit::Request;
use super::{Cell, Envelope, Work};
use crate::ids;
use crate::keeper::now;

#[derive(Default)]
pub(super) struct Intake {
    desk: Mutex<Desk>,
    /// Whether messages may be in the store that are not in the mailbox.
    behind: AtomicBool,
}

#[derive(Default)]
struct Desk {
    /// What was submitted to the store, in that order.
    arriving: VecDeque<Arrival>,
    /// Whether a task takes care of it.
    attended: bool,
    /// Up to where the store was read, by priority.
    read: [u64; 2],
    /// The messages that are in memory: queued, being handled, or waiting for their commit.
    inside: HashSet<Position>,
    /// Whether what was read last is being put into the mailbox.
    reading: bool,
    /// Messages that were committed meanwhile, and may be among what was read.
    gone: Vec<Position>,
}

struct Arrival {
    receipt: Receipt<Accepted>,
    message: Message,
    told: oneshot::Sender<Result<(), ActorError>>,
}

/// What became of an attempt to put messages into the mailbox.
enum Placed {
    Yes,
    NoRoom,
}

/// How long after a failure of the store it is read again.
const READ_RETRY: Duration = Duration::from_secs(1);

const PRIORITIES: [Priority; 2] = [Priority::Signal, Priority::Normal];

impl Intake {
    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    pub(super) fn fall_behind(&self) {
        self.behind.store(true, Ordering::Release);
    }

    /// A message was handled, and the store has forgotten it.
    pub(super) fn handled(&self, position: Position) {
        let mut desk = self.desk.lock();
        if desk.reading {
            desk.gone.push(position);
        } else {
            desk.inside.remove(&position);
        }
    }

    /// Where to read on.
    fn begin_reading(&self, priority: Priority) -> u64 {
        let mut desk = self.desk.lock();
        desk.reading = true;
        desk.read[priority as usize]
    }

    fn end_reading(&self) {
        let mut desk = self.desk.lock();
        let desk = &mut *desk;
        desk.reading = false;
        for position in desk.gone.drain(..) {
            desk.inside.remove(&position);
        }
    }

    /// A message that was in memory is only in the store now.
    pub(super) fn take_back(&self, position: Position) {
        let mut desk = self.desk.lock();
        desk.inside.remove(&position);
        let read = &mut desk.read[position.priority as usize];
        *read = (*read).min(position.seq.saturating_sub(1));
        self.fall_behind();
    }

    /// Messages may have come to the store by another way.
    pub(super) fn look_again(&self) {
        let mut desk = self.desk.lock();
        desk.read = [0, 0];
        self.fall_behind();
    }
}

impl Cell {
    /// Stores a tell, and returns once that is acknowledged.
    pub(super) async fn tell_stored(self: &Arc<Self>, request: Request, class: Durability) -> Result<(), ActorError> {
        if let Some(error) = self.closed(&self.gate.lock()) {
            return Err(error);
        }
        let deadline = request.deadline;
        let told = self.submit_tell(message(request), class, None);
        match self.node.until(deadline, told).await {
            Some(Ok(told)) => told,
            Some(Err(_)) => Err(self.stopped()),
            None => Err(self.late()),
        }
    }

    /// Takes a message that an actor has sent, out of the outbox. Until that is on the disk it is there, so that it need not be awaited.
    pub(crate) fn deliver(
        self: &Arc<Self>,
        message: Message,
        delivers: Delivers,
    ) -> oneshot::Receiver<Result<(), ActorError>> {
        self.submit_tell(message, Durability::Memory, Some(delivers))
    }

    /// Gives a message to the store. Whatever awaits the answer, the message is on its way.
    pub(crate) fn submit_tell(
        self: &Arc<Self>,
        message: Message,
        durability: Durability,
        delivers: Option<Delivers>,
    ) -> oneshot::Receiver<Result<(), ActorError>> {
        let (told, telling) = oneshot::channel();
        let Some(durable) = &self.durable else { return telling };
        let limits = self.setup.options.stored;
        let enqueue = Enqueue { to: durable.key, message: message.clone(), now: now(), limits, durability, delivers };
        let mut desk = durable.intake.desk.lock();
        let mut receipt = durable.keeper.store.enqueue(enqueue);
        if !desk.attended
            && let Some(result) = (&mut receipt).now_or_never()
        {
            desk.attended = true;
            drop(desk);
            self.arrived(Arrival { receipt, message, told }, result);
            self.end_inline();
            return telling;
        }
        desk.arriving.push_back(Arrival { receipt, message, told });
        self.attend_intake(desk);
        telling
    }

    /// Ends what was done where it was submitted; a task takes over if more has come in the meantime.
    fn end_inline(self: &Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        let mut desk = durable.intake.desk.lock();
        desk.attended = false;
        if !desk.arriving.is_empty() || durable.intake.is_behind() {
            self.attend_intake(desk);
        }
    }

    fn attend_intake(self: &Arc<Self>, mut desk: MutexGuard<'_, Desk>) {
        if !std::mem::replace(&mut desk.attended, true) {
            drop(desk);
            self.node.runtime.spawn(Arc::clone(self).take_in());
        }
    }

    /// Reads on in the store if there is anything to be read and room for it.
    pub(super) fn read_on(self: &Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        if durable.intake.is_behind() && self.room() > 0 {
            self.attend_intake(durable.intake.desk.lock());
        }
    }

    async fn take_in(self: Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        loop {
            let arrival = durable.intake.desk.lock().arriving.pop_front();
            if let Some(mut arrival) = arrival {
                let result = (&mut arrival.receipt).await;
                self.arrived(arrival, result);
                continue;
            }
            let placed = if durable.intake.is_behind() { self.read_in().await } else { Placed::NoRoom };
            let mut desk = durable.intake.desk.lock();
            if desk.arriving.is_empty() && (matches!(placed, Placed::NoRoom) || !durable.intake.is_behind()) {
                desk.attended = false;
                break;
            }
        }
        // Room that came while the task was about to end has woken nobody.
        if durable.intake.is_behind() && self.room() > 0 {
            self.attend_intake(durable.intake.desk.lock());
        }
    }

    /// The store has a message, or not.
    fn arrived(self: &Arc<Self>, arrival: Arrival, result: Result<Accepted, StoreError>) {
        let Some(durable) = &self.durable else { return };
        let Arrival { message, told, .. } = arrival;
        let answer = match result {
            Ok(Accepted::Queued(position)) => {
                let queued = Queued { position, at: now(), attempts: 0, message };
                if durable.intake.is_behind() || !matches!(self.place(queued), Placed::Yes) {
                    durable.intake.fall_behind();
                }
                Ok(())
            }
            // The message came before: it waits, or has been handled.
            Ok(Accepted::Duplicate) => Ok(()),
            Err(error) => Err(error.into()),
        };
        // The sender may have gone.
        let _ = told.send(answer);
    }

    /// Reads messages from the store into the mailbox until one of them is at its end.
    async fn read_in(self: &Arc<Self>) -> Placed {
        let Some(durable) = &self.durable else { return Placed::NoRoom };
        // What is taken back from now on is for the next time.
        durable.intake.behind.store(false, Ordering::Release);
        for priority in PRIORITIES {
            loop {
                let room = self.room();
                if room == 0 {
                    durable.intake.fall_behind();
                    return Placed::NoRoom;
                }
                let after = Position { priority, seq: durable.intake.begin_reading(priority) };
                let usual = BatchLimits::default();
                let limits = BatchLimits { items: room.min(usual.items), ..usual };
                let read = durable.keeper.store.queued(durable.key, after, limits).await;
                let batch = match read {
                    Ok(batch) => batch,
                    Err(error) => {
                        durable.intake.end_reading();
                        durable.intake.fall_behind();
                        self.log(LogLevel::Error, &format!("its messages cannot be read: {error}"));
                        // Reading on at once would find the same.
                        tokio::time::sleep(READ_RETRY).await;
                        return Placed::NoRoom;
                    }
                };
                let end = batch.is_empty();
                let all = batch.into_iter().all(|queued| matches!(self.place(queued), Placed::Yes));
                durable.intake.end_reading();
                if end {
                    break;
                }
                if !all {
                    durable.intake.fall_behind();
                    return Placed::NoRoom;
                }
            }
        }
        Placed::Yes
    }

    /// How many more messages to read: none before half of the mailbox is free, so that reading pays.
    fn room(&self) -> usize {
        let gate = self.gate.lock();
        let (len, capacity) = (gate.mailbox.len(), gate.mailbox.capacity());
        let reads = gate.workload.is_some() && self.closed(&gate).is_none() && len * 2 <= capacity;
        if reads { (capacity - len).max(1) } else { 0 }
    }

    /// Puts a message that the store has into the mailbox.
    fn place(self: &Arc<Self>, queued: Queued) -> Placed {
        let Some(durable) = &self.durable else { return Placed::NoRoom };
        let position = queued.position;
        let priority = match position.priority {
            Priority::Signal => playhouse_scheduler::Priority::Signal,
            Priority::Normal => playhouse_scheduler::Priority::Normal,
        };
        let mut desk = durable.intake.desk.lock();
        if position.seq <= desk.read[position.priority as usize] || desk.inside.contains(&position) {
            desk.read[position.priority as usize] = desk.read[position.priority as usize].max(position.seq);
            return Placed::Yes;
        }
        let work = match work(queued) {
            Ok(work) => work,
            Err(error) => {
                desk.read[position.priority as usize] = position.seq;
                drop(desk);
                self.log(LogLevel::Error, &format!("a stored message is left where it is: {error}"));
                return Placed::Yes;
            }
        };
        let bytes = work.bytes();
        let key = self.key(work.envelope.caller.as_ref(), &work.event);
        let mut gate = self.gate.lock();
        if gate.workload.is_none() {
            // What comes back after a refused commit must not be overtaken: nothing is put in before the next workload is there.
            let roused = gate.rouse();
            drop((gate, desk));
            self.queued(false, None, roused);
            return Placed::NoRoom;
        }
        if self.closed(&gate).is_some() || !gate.mailbox.has_room(priority, bytes) {
            return Placed::NoRoom;
        }
        let Offer::Queued { wake } = gate.mailbox.offer(work, priority, key, bytes) else { return Placed::NoRoom };
        let pressure = gate.pressure();
        drop(gate);
        desk.read[position.priority as usize] = position.seq;
        desk.inside.insert(position);
        drop(desk);
        self.queued(wake, pressure, false);
        Placed::Yes
    }
}

/// A tell as the store keeps it.
fn message(request: Request) -> Message {
    let Request { route, payload, caller, request_id, client, priority, .. } = request;
    Message {
        kind: MessageKind::Tell,
        priority: match priority {
            playhouse_scheduler::Priority::Signal => Priority::Signal,
            playhouse_scheduler::Priority::Normal => Priority::Normal,
        },
        caller: caller.map(|caller| caller.to_string()).unwrap_or_default(),
        request: (request_id.is_external() && client == 0).then(|| request_id.to_string()),
        route: route.as_str().to_owned(),
        payload,
        deadline: None,
        context: bytes::Bytes::new(),
    }
}

/// A stored message as work for its actor.
fn work(queued: Queued) -> Result<Work, playhouse_types::ParseError> {
    let Queued { position, attempts, message, .. } = queued;
    let Message { caller, request, route, payload, .. } = message;
    let caller: Option<ActorId> = if caller.is_empty() { None } else { Some(caller.parse()?) };
    let route: playhouse_types::RouteKey = route.parse()?;
    let request_id: RequestId = match request {
        Some(request) => request.parse()?,
        None => ids::request_id(),
    };
    let mut letter = Letter::new(caller.clone(), route.clone(), payload.clone());
    letter.attempts = attempts;
    letter.stored = Some(Stored::Message(position));
    let event = Event::Request { route, payload };
    let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root(), recorded: false };
    Ok(Work { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None })
}
