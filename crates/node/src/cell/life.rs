//! Start, restart, end.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::MutexGuard;
use playhouse_engine::{Failure, Seed, Workload};
use playhouse_scheduler::{CallChain, Restart};
use playhouse_types::{ActorError, Code, ErrorKind, Event, LogLevel, RequestId};

use super::outcome::jitter;
use super::{Cell, Envelope, Gate};
use crate::status::ActorState;

impl Cell {
    /// Makes the workload and runs its first hooks; from then on messages are handled.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), ActorError> {
        let seed = Seed {
            self_id: self.id.clone(),
            host: Arc::clone(self) as Arc<dyn playhouse_engine::Host>,
            limits: Arc::clone(&self.setup.limits),
        };
        let workload = self.program.create(seed).await?;
        if let Err(failure) = self.hook(&workload, Event::Start).await {
            let error = failure.into_error();
            let code = if error.code() == Code::Unspecified { Code::GuestStart } else { error.code() };
            return Err(ActorError::coded(error.kind(), code, format!("its start hook failed: {}", error.message())));
        }
        match self.hook(&workload, Event::Ready).await {
            Err(Failure::Crash(error)) => return Err(error),
            Err(Failure::Error(error)) => {
                self.log(LogLevel::Warn, &format!("its ready hook failed: {}", error.to_text()))
            }
            Ok(_) => {}
        }
        self.open(workload);
        Ok(())
    }

    fn open(self: &Arc<Self>, workload: Arc<dyn Workload>) {
        let mut gate = self.gate.lock();
        if matches!(gate.state, ActorState::Stopping | ActorState::Stopped) {
            return;
        }
        gate.workload = Some(workload);
        gate.state = ActorState::Running;
        gate.supervisor.started();
        let runnable = gate.mailbox.resume();
        drop(gate);
        if runnable {
            self.wake();
        }
    }

    /// Runs a lifecycle hook outside the mailbox, which is paused.
    async fn hook(self: &Arc<Self>, workload: &Arc<dyn Workload>, event: Event) -> playhouse_engine::Outcome {
        let request_id = event.request_id().unwrap_or(RequestId::from_static("lifecycle"));
        let deadline = Instant::now() + self.setup.limits.wall;
        let envelope = Envelope { caller: None, request_id, deadline: Some(deadline), chain: CallChain::root() };
        let running = Arc::clone(workload).run(self.context(envelope), event);
        self.node.until(deadline, running).await.unwrap_or_else(|| {
            let text = format!("a hook took longer than {:?}", self.setup.limits.wall);
            Err(Failure::Crash(ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text)))
        })
    }

    /// The workload is lost: another will be made, unless that has happened too often.
    pub(super) fn crashed(self: &Arc<Self>, mut gate: MutexGuard<'_, Gate>, cause: &ActorError) {
        gate.life += 1;
        gate.tallies.crashes += 1;
        gate.mailbox.pause();
        let lost = gate.workload.take();
        if matches!(gate.state, ActorState::Stopping | ActorState::Stopped) {
            return;
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
                let queued: Vec<_> = gate.mailbox.drain().collect();
                drop(gate);
                self.log(LogLevel::Error, &format!("crashed too often and is parked: {}", cause.to_text()));
                let error = self.parked(cause);
                queued.into_iter().for_each(|work| self.refuse(work, &error));
            }
        }
        // Dropping a workload may unmap memory: not under the lock.
        drop(lost);
    }

    async fn revive(self: Arc<Self>, when: Instant) {
        if when > Instant::now() {
            tokio::time::sleep_until(when.into()).await;
        }
        if let Err(cause) = self.start().await {
            let gate = self.gate.lock();
            self.crashed(gate, &cause);
        }
    }

    /// Takes no more messages, lets those being handled end until the deadline, and runs the last hook.
    pub(crate) async fn stop(self: &Arc<Self>, deadline: Instant) {
        let queued: Vec<_> = {
            let mut gate = self.gate.lock();
            if matches!(gate.state, ActorState::Stopping | ActorState::Stopped) {
                return;
            }
            gate.state = ActorState::Stopping;
            gate.mailbox.pause();
            gate.mailbox.drain().collect()
        };
        let error = self.stopped();
        queued.into_iter().for_each(|work| self.refuse(work, &error));
        if !self.wait_for_last(deadline).await {
            self.log(LogLevel::Warn, "stopped while a message was still being handled");
        }
        let workload = self.gate.lock().workload.take();
        if let Some(workload) = workload.filter(|workload| !workload.is_lost()) {
            let last = self.node.until(deadline, self.hook(&workload, Event::Stop)).await;
            if let Some(Err(failure)) = last {
                self.log(LogLevel::Warn, &format!("its stop hook failed: {}", failure.into_error().to_text()));
            }
        }
        self.gate.lock().state = ActorState::Stopped;
        self.node.directory.remove(&self.id);
    }

    async fn wait_for_last(&self, deadline: Instant) -> bool {
        let _watch = self.watch();
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.gate.lock().mailbox.running() == 0 {
                return true;
            }
            if self.node.until(deadline, changed).await.is_none() {
                return false;
            }
        }
    }
}
