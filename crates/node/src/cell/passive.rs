//! An idle actor leaves memory; the next message or timer brings it back.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use playhouse_engine::Workload;
use playhouse_types::{Event, LogLevel};

use super::turn::Turns;
use super::{Cell, Durable, Gate};
use crate::status::ActorState;

impl Cell {
    /// Watches whether the present workload is idle for as long as its options say.
    pub(super) fn watch_idleness(self: &Arc<Self>) {
        if let Some(after) = self.setup.options.passivate_after {
            let gate = self.gate.lock();
            let (life, seen) = (gate.life, gate.tallies.handled);
            drop(gate);
            self.node.runtime.spawn(watch(Arc::downgrade(self), life, seen, after));
        }
    }

    /// Takes the workload away if it is that one and has handled nothing since `seen`. Whether to go on watching, and the count now.
    async fn passivate(self: Arc<Self>, life: u32, seen: u64) -> Option<u64> {
        let (workload, turns) = {
            let mut gate = self.gate.lock();
            if gate.life != life || gate.state != ActorState::Running {
                return None;
            }
            let busy =
                self.durable.as_ref().is_some_and(|durable| durable.acks.is_busy() || durable.intake.is_behind());
            if gate.tallies.handled != seen || busy || !gate.is_idle() {
                return Some(gate.tallies.handled);
            }
            gate.state = ActorState::Restarting;
            gate.mailbox.pause();
            gate.life += 1;
            (gate.workload.take()?, gate.turns.take())
        };
        self.end_workload(workload, turns.as_ref()).await;
        drop((turns, self.sleep()));
        None
    }

    async fn end_workload(self: &Arc<Self>, workload: Arc<dyn Workload>, turns: Option<&Turns>) {
        if let Err(failure) = self.hook(&workload, turns.map(Turns::source), Event::Stop).await {
            self.log(LogLevel::Warn, &format!("its stop hook failed: {}", failure.into_error().to_text()));
        }
    }

    /// The workload is gone. What has come meanwhile brings another one at once.
    fn sleep(self: &Arc<Self>) {
        let mut gate = self.gate.lock();
        if gate.state != ActorState::Restarting {
            return;
        }
        // A timer that rings while they are not known is left to the next workload.
        let is_wanted = |durable: &Durable| durable.intake.is_behind() || !durable.timers.is_known();
        let wanted = !gate.mailbox.is_empty() || self.durable.as_deref().is_some_and(is_wanted);
        if !wanted {
            gate.state = ActorState::Passive;
            return;
        }
        drop(gate);
        self.node.runtime.spawn(Arc::clone(self).revive(Instant::now()));
    }
}

impl Gate {
    /// Whether nothing is queued, runs, or is to come.
    fn is_idle(&mut self) -> bool {
        self.mailbox.is_idle() && self.extras.as_ref().is_none_or(|extras| extras.streams.is_empty())
    }
}

async fn watch(cell: Weak<Cell>, life: u32, mut seen: u64, after: Duration) {
    loop {
        tokio::time::sleep(after).await;
        let Some(cell) = cell.upgrade() else { return };
        let Some(handled) = cell.passivate(life, seen).await else { return };
        seen = handled;
    }
}
