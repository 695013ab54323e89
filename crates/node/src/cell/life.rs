//! Start, restart, end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use parking_lot::MutexGuard;
use playhouse_engine::{Failure, Host, Outcome, Seed, Workload};
use playhouse_scheduler::{CallChain, Restart};
use playhouse_store::Receipt;
use playhouse_types::{ActorError, Code, ErrorKind, Event, LogLevel, RequestId};

use super::contained::begin_contained;
use super::lost::passes;
use super::outcome::jitter;
use super::turn::{Source, Turn, Turns};
use super::{Cell, Envelope, Gate};
use crate::clock::after;
use crate::compute::Attended;
use crate::status::ActorState;

impl Cell {
    /// Makes the workload and runs its first hooks; from then on messages are handled.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), ActorError> {
        let made = AssertUnwindSafe(self.start_uncontained()).catch_unwind().await;
        made.unwrap_or_else(|_| {
            Err(ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the engine panicked at start"))
        })
    }

    async fn start_uncontained(self: &Arc<Self>) -> Result<(), ActorError> {
        let source = match &self.durable {
            Some(durable) => {
                let settled = durable.settle(self).await;
                if self.gate.lock().is_ending() {
                    // Stopped while it was opened again: nobody else would let go of it.
                    drop(durable.let_go(self));
                    return Err(self.stopped());
                }
                settled?;
                self.know_timers().await?;
                let source = Source::new(durable.view());
                self.judge_suspects(&source).await?;
                Some(source)
            }
            None => None,
        };
        let source = source.as_ref();
        let seed = Seed {
            self_id: self.id.clone(),
            host: Arc::clone(self) as Arc<dyn playhouse_engine::Host>,
            limits: Arc::clone(&self.setup.limits),
        };
        let workload = Attended::here(&self.node, self.program.create(seed)).await?;
        if let Err(failure) = self.hook(&workload, source, Event::Start).await {
            let error = failure.into_error();
            let code = if error.code() == Code::Unspecified { Code::GuestStart } else { error.code() };
            return Err(ActorError::coded(error.kind(), code, format!("its start hook failed: {}", error.message())));
        }
        match self.hook(&workload, source, Event::Ready).await {
            Err(Failure::Crash(error)) => return Err(error),
            Err(Failure::Error(error)) => {
                self.log(LogLevel::Warn, &format!("its ready hook failed: {}", error.to_text()))
            }
            Ok(_) => {}
        }
        if self.open(Arc::clone(&workload), source.cloned()) {
            self.read_on();
            self.arm_timers();
            self.watch_idleness();
            return Ok(());
        }
        let _ = self.hook(&workload, source, Event::Stop).await;
        Err(self.stopped())
    }

    /// Lets messages in; false if the actor has been stopped in the meantime.
    fn open(self: &Arc<Self>, workload: Arc<dyn Workload>, source: Option<Source>) -> bool {
        let mut gate = self.gate.lock();
        if gate.is_ending() {
            return false;
        }
        gate.workload = Some(workload);
        gate.turns = source.map(Turns::new);
        gate.state = ActorState::Running;
        gate.supervisor.started();
        let runnable = gate.mailbox.resume();
        drop(gate);
        if runnable {
            self.wake();
        }
        true
    }

    /// Runs a lifecycle hook outside the mailbox, which is paused. What it did is committed when this returns.
    pub(super) async fn hook(
        self: &Arc<Self>,
        workload: &Arc<dyn Workload>,
        source: Option<&Source>,
        event: Event,
    ) -> Outcome {
        let request_id = event.request_id().unwrap_or(RequestId::from_static("lifecycle"));
        let deadline = after(self.setup.limits.wall);
        let chain = CallChain::root();
        let envelope = Envelope { caller: None, request_id, deadline: Some(deadline), chain, recorded: false };
        let turn = source.map(|source| Turn::new(self.me.clone(), source.clone()));
        let host = match &turn {
            Some(turn) => Arc::clone(turn) as Arc<dyn Host>,
            None => Arc::clone(self) as Arc<dyn Host>,
        };
        let context = self.context_of(envelope, host);
        let running = self.contained(begin_contained(Arc::clone(workload), context, event));
        let handled = self.node.until(deadline, Attended::here(&self.node, running)).await.unwrap_or_else(|| {
            let text = format!("a hook took longer than {:?}", self.setup.limits.wall);
            Err(Failure::Crash(ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text)))
        });
        if let (Ok(_), Some(turn), Some(source)) = (&handled, turn, source) {
            self.commit_hook(turn.end(), source).await.map_err(Failure::Crash)?;
        }
        handled
    }

    /// The workload is lost: another will be made, unless that has happened too often.
    pub(super) fn crashed(self: &Arc<Self>, mut gate: MutexGuard<'_, Gate>, cause: &ActorError) {
        gate.tallies.crashes += 1;
        // Dropping a workload may unmap memory, and closing streams wakes senders: not under the lock.
        let lost = gate.clear();
        if gate.is_ending() {
            drop(gate);
            return drop(lost);
        }
        let now = Instant::now();
        match gate.supervisor.crashed(now, cause.clone(), jitter()) {
            Restart::At(when) => {
                gate.state = ActorState::Restarting;
                drop(gate);
                let wait = when.saturating_duration_since(now);
                self.log(LogLevel::Error, &format!("crashed: {}; restart in {wait:?}", cause.to_text()));
                self.node.runtime.spawn(Arc::clone(self).revive(when));
            }
            Restart::Parked { .. } => {
                gate.state = ActorState::Parked { cause: cause.clone() };
                drop(gate);
                self.log(LogLevel::Error, &format!("crashed too often and is parked: {}", cause.to_text()));
                self.flush_if_closed();
                self.changed.notify_waiters();
            }
        }
        drop(lost);
    }

    pub(super) async fn revive(self: Arc<Self>, when: Instant) {
        if when > Instant::now() {
            tokio::time::sleep_until(when.into()).await;
        }
        if self.gate.lock().is_ending() {
            return;
        }
        let _ = self.start_again().await;
    }

    /// Starts the actor after a crash. If that fails, its supervisor decides what comes next, unless the store is to blame.
    async fn start_again(self: &Arc<Self>) -> Result<(), ActorError> {
        let started = self.start().await;
        if let Err(cause) = &started {
            let gate = self.gate.lock();
            match cause.code() {
                _ if gate.is_ending() => {}
                // Another try ends the same way, or takes the actor from its owner.
                Code::ActorOwned | Code::StaleEpoch | Code::StoreFailed => self.park(gate, cause),
                _ if passes(cause) => self.start_later(gate, cause),
                _ => self.crashed(gate, cause),
            }
        }
        started
    }

    /// Starts a parked actor again, with its crashes forgotten; none if it is not parked.
    pub(crate) async fn resume(self: &Arc<Self>) -> Option<Result<(), ActorError>> {
        {
            let mut gate = self.gate.lock();
            if !matches!(gate.state, ActorState::Parked { .. }) {
                return None;
            }
            gate.supervisor.pardon();
            gate.state = ActorState::Restarting;
        }
        self.log(LogLevel::Info, "is started again after it was parked");
        // A task, so that the actor comes up even if nobody waits for it here.
        let cell = Arc::clone(self);
        let started = self.node.runtime.spawn(async move { cell.start_again().await }).await;
        Some(started.unwrap_or_else(|_| Err(self.stopped())))
    }

    /// Takes no more messages, lets those being handled end until the deadline, and runs the last hook. Goes on when the future is
    /// dropped; a second call awaits the end of the first.
    pub(crate) async fn stop(self: &Arc<Self>, deadline: Instant) {
        let first = {
            let mut gate = self.gate.lock();
            let first = !gate.is_ending();
            if first {
                gate.state = ActorState::Stopping;
                gate.mailbox.pause();
            }
            first
        };
        if first {
            self.flush_if_closed();
            self.changed.notify_waiters();
            let _ = self.node.runtime.spawn(Arc::clone(self).end(deadline)).await;
        } else {
            self.wait_until(deadline, |gate| gate.state == ActorState::Stopped).await;
        }
    }

    async fn end(self: Arc<Self>, deadline: Instant) {
        let idle = self.wait_until(deadline, |gate| gate.mailbox.running() == 0).await;
        let (workload, turns) = {
            let mut gate = self.gate.lock();
            (gate.workload.take(), gate.turns.take())
        };
        if let Some(durable) = &self.durable {
            // What was handled is told before the actor is gone.
            let _ = self.node.until(deadline, durable.idle()).await;
        }
        let source = turns.as_ref().map(Turns::source);
        if !idle {
            self.log(LogLevel::Warn, "stopped while a message was still being handled; its stop hook did not run");
        } else if let Some(workload) = workload.filter(|workload| !workload.is_lost()) {
            let last = self.node.until(deadline, self.hook(&workload, source, Event::Stop)).await;
            if let Some(Err(failure)) = last {
                self.log(LogLevel::Warn, &format!("its stop hook failed: {}", failure.into_error().to_text()));
            }
        }
        self.leave(deadline).await;
    }

    /// As [`Self::vanish`]. The lease has been given back when this returns, unless the time is up first.
    pub(crate) async fn leave(&self, deadline: Instant) {
        if let (Some(released), Some(durable)) = (self.vanish(), &self.durable) {
            let _ = self.node.until(deadline, durable.released(released, self)).await;
        }
    }

    /// Returns once the actor is gone.
    pub(crate) async fn gone(&self) {
        while !self.wait_until(after(Duration::from_secs(3600)), |gate| gate.state == ActorState::Stopped).await {}
    }

    /// Is gone at once, without a last hook. What comes of giving back its lease, which nobody need wait for.
    pub(crate) fn vanish(&self) -> Option<Receipt<()>> {
        let (lost, first) = {
            let mut gate = self.gate.lock();
            let first = gate.state != ActorState::Stopped;
            gate.state = ActorState::Stopped;
            (gate.clear(), first)
        };
        drop(lost);
        self.flush_if_closed();
        // Before the next one can have its name.
        self.node.directory.remove(self);
        let released = self.durable.as_ref().filter(|_| first).map(|durable| durable.release(self));
        self.changed.notify_waiters();
        released
    }
}

impl Gate {
    /// Whether the actor is being stopped, or has been.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.state, ActorState::Stopping | ActorState::Stopped)
    }
}
