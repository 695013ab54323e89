//! Handling: a first poll where the message is, the rest in a task.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use playhouse_engine::{Failure, Outcome, Running, Workload};
use playhouse_scheduler::{Key, Ticket};
use playhouse_store::{Durability, RequestKey};
use playhouse_types::{ActorError, Code, ErrorKind};
use tokio::sync::oneshot;

use super::contained::{Contained, begin_contained, is_deep, poll_contained};
use super::outcome::{Reply, Then};
use super::suspects::Witness;
use super::turn::Turn;
use super::{Cell, Envelope, Gate, Work};
use crate::compute::Attended;

/// Messages of others that a caller handles on its way out, before it leaves the rest to a task: what a spawned task costs, in echo calls.
const HELP_MAX: u32 = 16;
/// The time that such help may take.
const HELP_TIME: Duration = Duration::from_micros(100);
/// Messages that a task handles before it lets others run.
const BATCH: u32 = 64;
/// One message in so many is timed.
const SAMPLE: u64 = 8;

/// How often a caller looks whether a busy actor has become idle before it queues. With the pauses this takes 15 µs at the most, and
/// on two cores doubles the calls per second of 64 callers: whoever queues makes the next ones queue as well.
const LOOKS: u32 = 8;
/// Pauses of the processor between two looks, about as long as eight echo calls. More looks instead, at 6, 20 and 48 pauses, fight over
/// the lock with the one who holds it and were slower (`benches/src/bin/linked.rs`).
const LOOK_PAUSES: u32 = 128;

/// Light messages in a row after which an actor that has computed for long counts as light again. Each of them costs a hand-over
/// between threads, about 20 µs; each heavy one that is begun on a worker costs up to two ticks of the engine there, 4 ms.
const HEAVY_FOR: u8 = 64;

/// The right to handle one message.
pub(super) struct Run {
    pub(super) ticket: Ticket,
    pub(super) life: u32,
    pub(super) timed: Option<Instant>,
    /// Whether the message is for the threads for computing.
    heavy: bool,
    /// What it may do, on a node with a store.
    pub(super) turn: Option<Arc<Turn>>,
    /// What its effects survive.
    pub(super) class: Durability,
    /// Under which key its reply is recorded with its effects.
    pub(super) record: Option<Box<Record>>,
    /// That it is known to be handled, if it may have ended the process before.
    witness: Option<Box<Witness>>,
}

/// A request whose reply is recorded, so that a repetition gets the same one.
pub(super) struct Record {
    pub(super) key: RequestKey,
    /// Also if it had no effects.
    pub(super) always: bool,
}

impl Cell {
    /// Takes the right to handle a message here and now; none if the actor is busy or this stack is deep. While the actor handles
    /// a message that has not had to wait for anything, and nobody is queued, it looks again a few times.
    pub(super) fn try_start(&self, key: Key, envelope: &Envelope) -> Option<(Run, Arc<dyn Workload>)> {
        if is_deep() {
            return None;
        }
        for _ in 0..LOOKS {
            let mut gate = self.gate.lock();
            if let Some(ticket) = gate.mailbox.try_start(key) {
                return gate.begin(ticket, envelope, &self.me).ok();
            }
            if gate.flow.waiting > 0 || !gate.mailbox.is_empty() || gate.workload.is_none() {
                return None;
            }
            drop(gate);
            (0..LOOK_PAUSES).for_each(|_| std::hint::spin_loop());
        }
        None
    }

    /// Takes the right to handle a message that an earlier one of this actor waits for.
    pub(super) fn start_nested(&self, key: Key, envelope: &Envelope) -> Option<(Run, Arc<dyn Workload>)> {
        let mut gate = self.gate.lock();
        let ticket = gate.mailbox.start_nested(key)?;
        gate.begin(ticket, envelope, &self.me).ok()
    }

    fn take_next(self: &Arc<Self>) -> Option<(Run, Arc<dyn Workload>, Work)> {
        let mut gate = self.gate.lock();
        let (ticket, work) = gate.mailbox.next()?;
        let begun = gate.begin(ticket, &work.envelope, &self.me);
        let watched = gate.watchers > 0;
        drop(gate);
        if watched {
            self.changed.notify_waiters();
        }
        self.read_on();
        let Ok((run, workload)) = begun else {
            self.refuse(work, &self.stopped());
            return None;
        };
        self.node.begun(work.wait);
        Some((run, workload, work))
    }

    /// Handles a message for a caller that waits here, and is one level of this stack.
    pub(super) async fn run_here(self: &Arc<Self>, run: Run, mut running: Running, patience: Instant) -> Reply {
        if run.heavy {
            return self.run_on(run, running, patience).await;
        }
        let polled = poll_fn(|cx| Poll::Ready(self.inside(|| poll_contained(&mut running, self.handler(), cx)))).await;
        let Poll::Ready(outcome) = polled else { return self.run_on(run, running, patience).await };
        if self.must_store(&run) {
            drop(running);
            return self.store_here(run, outcome, patience).await;
        }
        if self.settle(run, &outcome) {
            poll_fn(|cx| {
                self.inside(|| self.help(cx));
                Poll::Ready(())
            })
            .await;
        }
        if let Err(failure @ Failure::Crash(_)) = &outcome {
            self.report(failure, "a request");
        }
        Reply { outcome: outcome.map_err(Failure::into_error), begun: true }
    }

    /// Has a task handle a message, and waits for it here.
    pub(super) async fn run_on(self: &Arc<Self>, run: Run, running: Running, patience: Instant) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.node.runtime.spawn(Arc::clone(self).tail(run, running, Then::Reply(reply)));
        self.await_answer(answer, patience).await
    }

    /// Does something where tokio's timers run, also for a caller on another executor. Asking for the task is a look at the
    /// thread; asking for the runtime would count references, over which threads fight.
    fn inside<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = tokio::task::try_id().is_none().then(|| self.node.runtime.enter());
        work()
    }

    /// Handles some messages of others; a task takes the rest.
    fn help(self: &Arc<Self>, cx: &mut task::Context<'_>) {
        let end = Instant::now() + HELP_TIME;
        for _ in 0..HELP_MAX {
            if is_deep() || Instant::now() >= end {
                break;
            }
            if !self.step(cx) {
                return;
            }
        }
        self.wake();
    }

    /// Has a task handle what is queued, unless one is on its way.
    pub(super) fn wake(self: &Arc<Self>) {
        if !std::mem::replace(&mut self.gate.lock().flow.draining, true) {
            self.node.runtime.spawn(Arc::clone(self).drain());
        }
    }

    async fn drain(self: Arc<Self>) {
        loop {
            while poll_fn(|cx| Poll::Ready((0..BATCH).all(|_| self.step(cx)))).await {
                tokio::task::yield_now().await;
            }
            self.gate.lock().flow.draining = false;
            // What was queued before the flag fell has nobody else.
            if !poll_fn(|cx| Poll::Ready(self.step(cx))).await {
                return;
            }
            self.gate.lock().flow.draining = true;
        }
    }

    /// Begins to handle the next message. False if none may run.
    fn step(self: &Arc<Self>, cx: &mut task::Context<'_>) -> bool {
        let Some((mut run, workload, work)) = self.take_next() else { return false };
        if work.envelope.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.skip(run, work);
            return true;
        }
        if self.is_outdated(&work.then) {
            self.pass_over(run);
            return true;
        }
        if !self.provide(&run, &work.then) {
            return self.hold(run, work);
        }
        let Work { event, envelope, then, .. } = work;
        run.witness = self.witness(&then);
        let context = self.context(&mut run, envelope, &event);
        let mut running = begin_contained(workload, context, event);
        let polled = if run.heavy { Poll::Pending } else { poll_contained(&mut running, self.handler(), cx) };
        match polled {
            Poll::Ready(outcome) => {
                drop((running, run.witness.take()));
                let _ = self.conclude(run, outcome, then);
            }
            Poll::Pending => {
                self.node.runtime.spawn(Arc::clone(self).tail(run, running, then));
            }
        }
        true
    }

    pub(super) fn contained(&self, running: Running) -> Contained {
        Contained::new(running, self.handler())
    }

    /// Whether the workload of that life is there no more, or can go on no more.
    fn is_lost(&self, life: u32) -> bool {
        let gate = self.gate.lock();
        gate.life != life || gate.workload.as_ref().is_none_or(|workload| workload.is_lost())
    }

    /// Handles the rest of a message that could not be handled at once, and then what has queued behind it.
    async fn tail(self: Arc<Self>, mut run: Run, running: Running, then: Then) {
        let waiting = WaitingRun::new(&self);
        let handled = self.attend(&run, self.contained(running)).await;
        drop((waiting, run.witness.take()));
        let outcome = handled.unwrap_or_else(|| {
            let text = format!("{} handled one event for more than {:?}", self.id, self.setup.limits.wall);
            let error = ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text);
            Err(if self.is_lost(run.life) { Failure::Crash(error) } else { Failure::Error(error) })
        });
        if self.conclude(run, outcome, then) {
            self.drain().await;
        }
    }

    /// Handles the rest of a message where it belongs; none if that takes too long. Learns whether the actor computes for long.
    async fn attend(&self, run: &Run, running: Contained) -> Option<Outcome> {
        let mut attended = match run.heavy {
            true => Attended::away(&self.node, running),
            false => Attended::here(&self.node, running),
        };
        let handled = match tokio::time::timeout(self.setup.limits.wall, &mut attended).await {
            Ok(outcome) => Some(outcome),
            Err(_) => attended.give_up().await,
        };
        if attended.was_long() {
            self.gate.lock().flow.heavy = HEAVY_FOR;
        } else if run.heavy {
            let mut gate = self.gate.lock();
            gate.flow.heavy = gate.flow.heavy.saturating_sub(1);
        }
        handled
    }
}

impl Gate {
    /// Makes a ticket the right to handle a message with the present workload. Without one, which is so only at the end of an actor,
    /// the ticket goes back.
    fn begin(
        &mut self,
        ticket: Ticket,
        envelope: &Envelope,
        cell: &Weak<Cell>,
    ) -> Result<(Run, Arc<dyn Workload>), NoWorkload> {
        let Some(workload) = self.workload.clone() else {
            let _ = self.mailbox.finish(ticket);
            return Err(NoWorkload);
        };
        if envelope.chain.depth() > 0 {
            self.chain = envelope.chain.clone();
        }
        let timed = self.tallies.handled.is_multiple_of(SAMPLE).then(Instant::now);
        let turn = self.turns.as_mut().map(|turns| turns.take(cell));
        let (life, heavy) = (self.life, self.flow.heavy > 0);
        Ok((Run { ticket, life, timed, heavy, turn, class: Durability::Memory, record: None, witness: None }, workload))
    }
}

struct NoWorkload;

/// A message whose handler waits for something, so that it may take long.
struct WaitingRun(Arc<Cell>);

impl WaitingRun {
    fn new(cell: &Arc<Cell>) -> Self {
        cell.gate.lock().flow.waiting += 1;
        Self(Arc::clone(cell))
    }
}

impl Drop for WaitingRun {
    fn drop(&mut self) {
        self.0.gate.lock().flow.waiting -= 1;
    }
}
