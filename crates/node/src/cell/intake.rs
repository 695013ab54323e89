//! Tells on their way from the store into the mailbox.
//!
//! The store has them first. What then does not fit the mailbox stays there, and is read in again, in order, when there is room; until
//! then later tells go to the store only. One task at a time takes care of it, so that a message is neither put in twice nor passed over.

mod desk;
mod form;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::MutexGuard;
use playhouse_scheduler::Offer;
use playhouse_store::{
    Accepted, BatchLimits, Delivers, Durability, Enqueue, Message, Position, Priority, Queued, StoreError,
};
use playhouse_types::{ActorError, LogLevel};
use tokio::sync::oneshot;

use super::submit::Request;
use super::{Cell, Gate, Work};
use crate::clock::now;

pub(super) use desk::Intake;

use desk::{Arrival, Desk, Obstacle};

/// How long after a failure of the store it is read again.
const READ_RETRY: Duration = Duration::from_secs(1);

const PRIORITIES: [Priority; 2] = [Priority::Signal, Priority::Normal];

/// What the task of an actor's intake does next.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on its way from one place to the next")]
enum Next {
    Arrival(Arrival),
    Read,
}

impl Cell {
    /// Stores a tell, and returns once that is acknowledged.
    pub(super) async fn tell_stored(self: &Arc<Self>, request: Request, class: Durability) -> Result<(), ActorError> {
        if let Some(error) = self.closed(&self.gate.lock()) {
            return Err(error);
        }
        let deadline = request.deadline;
        let told = self.submit_tell(form::message(request), class, None);
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
        let mut desk = durable.intake.desk();
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
        let mut desk = durable.intake.desk();
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
        let Some(durable) = self.durable.as_ref().filter(|durable| durable.intake.is_behind()) else { return };
        let desk = durable.intake.desk();
        if self.room(&desk) > 0 {
            self.attend_intake(desk);
        }
    }

    async fn take_in(self: Arc<Self>) {
        while let Some(next) = self.next_in() {
            match next {
                Next::Read => self.read_in().await,
                Next::Arrival(mut arrival) => {
                    let result = (&mut arrival.receipt).await;
                    self.arrived(arrival, result);
                }
            }
        }
    }

    /// What to do next: reading goes before what arrives, or an actor whose senders never pause would never catch up. Who gets none has to
    /// end.
    fn next_in(&self) -> Option<Next> {
        let intake = &self.durable.as_ref()?.intake;
        let mut desk = intake.desk();
        if intake.is_behind() && self.room(&desk) > 0 {
            return Some(Next::Read);
        }
        let next = desk.arriving.pop_front().map(Next::Arrival);
        // Under the lock in which `read_on` looks, so that room which comes now wakes somebody.
        desk.attended = next.is_some();
        next
    }

    /// The store has a message, or not.
    fn arrived(self: &Arc<Self>, arrival: Arrival, result: Result<Accepted, StoreError>) {
        let Arrival { message, told, .. } = arrival;
        let answer = match result {
            Ok(Accepted::Queued(position)) => {
                self.place_arrival(Queued { position, at: now(), attempts: 0, message });
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
    async fn read_in(self: &Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        // What is taken back from now on is for the next time.
        durable.intake.set_behind(&durable.intake.desk(), false);
        for priority in PRIORITIES {
            while let Some((after, limits)) = self.begin_reading(priority) {
                let batch = match durable.keeper.store.queued(durable.key, after, limits).await {
                    Ok(batch) => batch,
                    Err(error) => return self.cannot_read(&error),
                };
                let end = batch.is_empty();
                let all = self.place_all(batch, after.seq);
                durable.intake.desk().end_reading();
                if !all {
                    return;
                }
                if end {
                    break;
                }
            }
        }
    }

    /// Where to read on, and how much; none if there is no room.
    fn begin_reading(self: &Arc<Self>, priority: Priority) -> Option<(Position, BatchLimits)> {
        let intake = &self.durable.as_ref()?.intake;
        let mut desk = intake.desk();
        let room = self.room(&desk);
        if room == 0 {
            self.stay_behind(desk);
            return None;
        }
        let usual = BatchLimits::default();
        Some((desk.begin_reading(priority), BatchLimits { items: room.min(usual.items), ..usual }))
    }

    /// Whoever is behind stays so, and another one comes back after a while: reading on at once would find the same.
    fn cannot_read(self: &Arc<Self>, error: &StoreError) {
        let Some(durable) = &self.durable else { return };
        let mut desk = durable.intake.desk();
        desk.end_reading();
        desk.obstacle = Some(Obstacle::Store);
        durable.intake.set_behind(&desk, true);
        drop(desk);
        self.log(LogLevel::Error, &format!("its messages cannot be read: {error}"));
        let cell = Arc::clone(self);
        self.node.runtime.spawn(async move {
            tokio::time::sleep(READ_RETRY).await;
            if let Some(durable) = &cell.durable {
                durable.intake.desk().obstacle = None;
            }
            cell.read_on();
        });
    }

    /// How many more messages to read: none before half of the mailbox is free, so that reading pays.
    fn room(&self, desk: &Desk) -> usize {
        let gate = self.gate.lock();
        let fits = match desk.obstacle {
            None => true,
            Some(Obstacle::Bytes(priority, bytes)) => gate.mailbox.has_room(priority, bytes),
            Some(Obstacle::Store) => false,
        };
        let (len, capacity) = (gate.mailbox.len(), gate.mailbox.capacity());
        let reads = fits && gate.workload.is_some() && self.closed(&gate).is_none() && len * 2 <= capacity;
        if reads { (capacity - len).max(1) } else { 0 }
    }

    /// Puts a message into the mailbox that the store has just taken, unless others are before it there.
    fn place_arrival(self: &Arc<Self>, queued: Queued) {
        let Some(durable) = &self.durable else { return };
        let desk = durable.intake.desk();
        if durable.intake.is_behind() {
            self.stay_behind(desk);
        } else {
            self.place(desk, queued);
        }
    }

    /// Leaves messages in the store. An actor that sleeps is woken: they are for its next workload.
    fn stay_behind(self: &Arc<Self>, desk: MutexGuard<'_, Desk>) {
        let Some(durable) = &self.durable else { return };
        // First, so that whoever is about to fall asleep sees it.
        durable.intake.set_behind(&desk, true);
        let roused = self.gate.lock().rouse();
        drop(desk);
        self.queued(false, None, roused);
    }

    /// Puts in what was read behind `after`, in order. False if not all could be: there is no room, or something before it was taken back.
    fn place_all(self: &Arc<Self>, batch: Vec<Queued>, mut after: u64) -> bool {
        let Some(durable) = &self.durable else { return false };
        batch.into_iter().all(|queued| {
            let desk = durable.intake.desk();
            let next = queued.position;
            let follows = desk.read[next.priority as usize] == std::mem::replace(&mut after, next.seq);
            follows && self.place(desk, queued)
        })
    }

    /// Puts a message that the store has into the mailbox. False if it stays there: the actor is behind, then.
    fn place(self: &Arc<Self>, mut desk: MutexGuard<'_, Desk>, queued: Queued) -> bool {
        let position = queued.position;
        let read = position.priority as usize;
        if position.seq <= desk.read[read] || desk.inside.contains(&position) {
            desk.read[read] = desk.read[read].max(position.seq);
            return true;
        }
        let work = match form::work(queued) {
            Ok(work) => work,
            Err(error) => {
                desk.read[read] = position.seq;
                drop(desk);
                self.log(LogLevel::Error, &format!("a stored message is left where it is: {error}"));
                return true;
            }
        };
        let bytes = work.bytes();
        let mut gate = self.gate.lock();
        if !self.takes(&gate, &work) {
            desk.obstacle = Some(Obstacle::Bytes(work.priority, bytes));
            drop(gate);
            self.stay_behind(desk);
            return false;
        }
        let (priority, key) = (work.priority, self.key(work.envelope.caller.as_ref(), &work.event));
        let Offer::Queued { wake } = gate.mailbox.offer(work, priority, key, bytes) else { return false };
        let pressure = gate.pressure();
        drop(gate);
        desk.read[read] = position.seq;
        desk.inside.insert(position);
        drop(desk);
        self.queued(wake, pressure, false);
        true
    }

    /// Whether a message may be put in. None before there is a workload: what comes back after a refused commit must not be overtaken.
    fn takes(&self, gate: &Gate, work: &Work) -> bool {
        gate.workload.is_some() && self.closed(gate).is_none() && gate.mailbox.has_room(work.priority, work.bytes())
    }
}
