//! Handling: a first poll where the message is, the rest in a task.

use std::cell::Cell as ThreadCell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_engine::{Failure, Outcome, Running, Workload};
use playhouse_scheduler::{Key, Ticket};
use playhouse_types::{ActorError, Code, ErrorKind};
use tokio::sync::oneshot;

use super::outcome::Then;
use super::{Cell, Work};

/// Handlers inside handlers on one stack. Each level takes a few kilobytes of a worker's 2 MiB stack, ten times that in debug builds; deeper calls are queued.
const DEPTH_MAX: u32 = 12;
/// Messages of others that a caller handles on its way out, before it leaves the rest to a task: what a spawned task costs, in echo calls.
const HELP_MAX: u32 = 16;
/// The time that such help may take.
const HELP_TIME: Duration = Duration::from_micros(100);
/// Messages that a task handles before it lets others run.
const BATCH: u32 = 64;
/// One message in so many is timed.
const SAMPLE: u64 = 8;

thread_local! {
    static DEPTH: ThreadCell<u32> = const { ThreadCell::new(0) };
}

/// The right to handle one message.
pub(super) struct Run {
    ticket: Ticket,
    pub(super) workload: Arc<dyn Workload>,
    pub(super) life: u32,
    pub(super) timed: Option<Instant>,
}

impl Run {
    pub(super) fn into_ticket(self) -> Ticket {
        self.ticket
    }
}

impl Cell {
    /// Takes the right to handle a message here and now; none if the actor is busy or this stack is deep.
    pub(super) fn try_start(&self, key: Key, now: Instant) -> Option<Run> {
        if DEPTH.get() >= DEPTH_MAX {
            return None;
        }
        let mut gate = self.gate.lock();
        let ticket = gate.mailbox.try_start(key)?;
        let timed = gate.tallies.handled.is_multiple_of(SAMPLE).then_some(now);
        if let Some(workload) = gate.workload.clone() {
            return Some(Run { ticket, workload, life: gate.life, timed });
        }
        let _ = gate.mailbox.finish(ticket);
        None
    }

    fn take_next(&self) -> Option<(Run, Work)> {
        let mut gate = self.gate.lock();
        let (ticket, work) = gate.mailbox.next()?;
        let timed = gate.tallies.handled.is_multiple_of(SAMPLE).then(Instant::now);
        if let Some(workload) = gate.workload.clone() {
            let run = Run { ticket, workload, life: gate.life, timed };
            drop(gate);
            self.node.begun(work.wait);
            return Some((run, work));
        }
        let _ = gate.mailbox.finish(ticket);
        drop(gate);
        self.refuse(work, &self.stopped());
        None
    }

    /// Handles a message for a caller that waits here.
    pub(super) async fn run_here(
        self: &Arc<Self>,
        run: Run,
        mut running: Running,
        deadline: Instant,
    ) -> Result<Bytes, ActorError> {
        match poll_fn(|cx| Poll::Ready(poll_contained(&mut running, cx))).await {
            Poll::Ready(outcome) => {
                if self.settle(run, &outcome) {
                    poll_fn(|cx| Poll::Ready(self.help(cx))).await;
                }
                if let Err(failure @ Failure::Crash(_)) = &outcome {
                    self.report(failure, "a request");
                }
                outcome.map_err(Failure::into_error)
            }
            Poll::Pending => {
                let (reply, answer) = oneshot::channel();
                self.node.runtime.spawn(Arc::clone(self).tail(run, running, Then::Reply(reply)));
                self.await_answer(answer, deadline).await
            }
        }
    }

    /// Handles some messages of others; a task takes the rest.
    fn help(self: &Arc<Self>, cx: &mut task::Context<'_>) {
        let end = Instant::now() + HELP_TIME;
        for _ in 0..HELP_MAX {
            if DEPTH.get() >= DEPTH_MAX || Instant::now() >= end {
                break;
            }
            if !self.step(cx) {
                return;
            }
        }
        self.wake();
    }

    /// Has a task handle what is queued.
    pub(super) fn wake(self: &Arc<Self>) {
        self.node.runtime.spawn(Arc::clone(self).drain());
    }

    async fn drain(self: Arc<Self>) {
        loop {
            let more = poll_fn(|cx| Poll::Ready((0..BATCH).all(|_| self.step(cx)))).await;
            if !more {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Begins to handle the next message. False if none may run.
    fn step(self: &Arc<Self>, cx: &mut task::Context<'_>) -> bool {
        let Some((run, work)) = self.take_next() else { return false };
        if work.envelope.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.skip(run, work);
            return true;
        }
        let Work { event, envelope, then, wait: _ } = work;
        let mut running = Arc::clone(&run.workload).run(self.context(envelope), event);
        match poll_contained(&mut running, cx) {
            Poll::Ready(outcome) => {
                let _ = self.conclude(run, outcome, then);
            }
            Poll::Pending => {
                self.node.runtime.spawn(Arc::clone(self).tail(run, running, then));
            }
        }
        true
    }

    /// Handles the rest of a message that could not be handled at once, and then what has queued behind it.
    async fn tail(self: Arc<Self>, run: Run, mut running: Running, then: Then) {
        let wall = self.setup.limits.wall;
        let handled = tokio::time::timeout(wall, poll_fn(|cx| poll_contained(&mut running, cx))).await;
        drop(running);
        let outcome = handled.unwrap_or_else(|_| {
            let text = format!("{} handled one event for more than {wall:?}", self.id);
            let error = ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text);
            Err(if run.workload.is_lost() { Failure::Crash(error) } else { Failure::Error(error) })
        });
        if self.conclude(run, outcome, then) {
            self.drain().await;
        }
    }
}

/// Polls a handler one level deeper. A panic of an engine is a crash of its workload.
fn poll_contained(running: &mut Running, cx: &mut task::Context<'_>) -> Poll<Outcome> {
    DEPTH.set(DEPTH.get() + 1);
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx)));
    DEPTH.set(DEPTH.get() - 1);
    polled.unwrap_or_else(|_| {
        let error = ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the engine panicked");
        Poll::Ready(Err(Failure::Crash(error)))
    })
}
