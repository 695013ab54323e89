//! What follows when the store refuses or fails what a message did: the workload's memory may be ahead of its state, so it goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;
use playhouse_scheduler::{Offer, Sentence};
use playhouse_store::{Fate, StoreError};
use playhouse_types::{ActorError, Code, LogLevel};

use super::outcome::{Letter, Reply, Stored, Then};
use super::submit::Queued;
use super::turn::Source;
use super::{Cell, Gate, Work};
use crate::status::ActorState;

/// How long an actor waits for a store that takes nothing at the moment. Long enough that handling the same message over and over is no load,
/// short enough that nobody looks for a reason why it does not go on.
const LATER: Duration = Duration::from_secs(1);

/// What is to be done about a workload whose commit was refused.
enum Remedy {
    /// Another one, at once: a rule was broken, and the store is well.
    Renew,
    /// Another one, a little later: the store takes nothing at the moment.
    Later,
    /// Another one, when the supervisor says: the store may be well again.
    Restart,
    /// None: the actor belongs to somebody else, or the store is not to be had until the node starts again.
    Park,
}

impl Remedy {
    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::StaleEpoch { .. }
            | StoreError::OwnedElsewhere { .. }
            | StoreError::Failed { .. }
            | StoreError::Closed
            | StoreError::Corrupt(_) => Self::Park,
            StoreError::Busy { .. } | StoreError::DiskFull { .. } | StoreError::DurabilityMissing { .. } => Self::Later,
            error if error.is_refusal() => Self::Renew,
            _ => Self::Restart,
        }
    }

    /// Whether the actor has to be opened again first.
    fn reopens(&self) -> bool {
        matches!(self, Self::Restart | Self::Park)
    }
}

/// Whether the message itself is to blame for a refusal: handled again, it would be refused again. Whoever lost a race (a key that another
/// message has made or changed meanwhile) finds what the winner wrote.
fn blames_message(error: &StoreError) -> bool {
    matches!(error, StoreError::QuotaExceeded { .. } | StoreError::TooLarge { .. } | StoreError::Malformed { .. })
}

/// Whether an error says that the store takes nothing at the moment, or answers nothing.
pub(super) fn passes(error: &ActorError) -> bool {
    matches!(error.code(), Code::StoreBusy | Code::DiskFull)
}

impl Cell {
    /// A commit was refused: nothing of its message has happened.
    pub(super) fn refused(self: &Arc<Self>, life: u32, source: Source, then: Then, error: &StoreError) {
        match then {
            // A caller hears when nothing of its message can come to be any more.
            Then::Reply(reply) => {
                self.lost(life, error);
                drop(reply.send(Reply::refused(error.clone().into())));
            }
            // What the store has goes back before the next workload reads.
            Then::Nobody(letter) if letter.stored.is_some() => {
                self.log(LogLevel::Warn, &format!("what a tell of {} did was not stored: {error}", letter.route));
                self.judge_refused(life, source, letter, error);
                self.lost(life, error);
            }
            Then::Nobody(letter) => {
                self.lost(life, error);
                self.tell_again(*letter, error);
            }
            Then::Chunk(_) | Then::Hook => {
                self.log(LogLevel::Warn, &format!("what a hook or chunk did was not stored: {error}"));
                self.lost(life, error);
            }
        }
        // A run that ended late has given something back behind the next workload's back.
        self.read_on();
    }

    fn judge_refused(self: &Arc<Self>, life: u32, source: Source, mut letter: Box<Letter>, error: &StoreError) {
        if !blames_message(error) {
            return self.leave_stored(&letter);
        }
        letter.charge(true);
        let dead = self.setup.options.restart.judge(letter.attempts) == Sentence::DeadLetter;
        let fate = match dead {
            true => Fate::Dead { cause: error.to_string(), reply: None },
            false => Fate::Again,
        };
        if !dead {
            self.leave_stored(&letter);
        }
        self.submit_fate(life, source, letter, fate);
    }

    /// A tell that is in memory only is handled again, unless that would end the same way, or what it did may have come to be: nothing says
    /// that it was handled.
    fn tell_again(self: &Arc<Self>, letter: Letter, error: &StoreError) {
        if blames_message(error) || matches!(error, StoreError::Unknown { .. }) {
            return self.bury(letter, error.clone().into());
        }
        let work = Work::again(letter.clone());
        let key = self.key(work.envelope.caller.as_ref(), &work.event);
        match self.try_enqueue(work, key) {
            Queued::Yes => {}
            Queued::Refused(error) => self.bury(letter, error),
            Queued::NoRoom(_) => self.bury(letter, self.full()),
        }
    }

    /// Leaves a tell to the store, which has it.
    pub(super) fn leave_stored(&self, letter: &Letter) {
        match (&letter.stored, &self.durable) {
            (Some(Stored::Message(position)), Some(durable)) => durable.intake.take_back(*position),
            (Some(Stored::Timer { .. }), Some(_)) => self.ring_again(letter),
            _ => {}
        }
    }

    /// A commit of a workload was refused: what it has in its memory may never have come to be, so it goes.
    pub(super) fn lost(self: &Arc<Self>, life: u32, error: &StoreError) {
        let Some(durable) = &self.durable else { return };
        let first = durable.acks.lose(life);
        let remedy = match error {
            // Nothing before it was refused: this view of the actor is not what the store has.
            StoreError::PredecessorFailed { .. } if first => Remedy::Restart,
            error => Remedy::of(error),
        };
        let is_current = {
            let gate = self.gate.lock();
            gate.life == life || gate.workload.is_none()
        };
        if is_current {
            durable.timers.forget();
            if remedy.reopens() {
                durable.must_reopen();
            }
        }
        self.replace(life, &remedy, &error.clone().into());
    }

    /// The store refused or failed something outside of messages. Whether the actor has to be opened anew shows by the error.
    pub(super) fn reopen_after(&self, error: &StoreError) {
        if let Some(durable) = self.durable.as_ref().filter(|_| Remedy::of(error).reopens()) {
            durable.must_reopen();
        }
    }

    /// The store failed the handler of a message of that life, and so the handler failed.
    pub(super) fn restart_for_store(self: &Arc<Self>, life: u32, cause: &ActorError) {
        let remedy = if passes(cause) { Remedy::Later } else { Remedy::Restart };
        self.replace(life, &remedy, cause);
    }

    /// The actor could not be started because the store takes nothing at the moment, which is nobody's crash: it is started again later.
    pub(super) fn start_later(self: &Arc<Self>, mut gate: MutexGuard<'_, Gate>, cause: &ActorError) {
        let lost = gate.clear();
        gate.state = ActorState::Restarting;
        drop(gate);
        drop(lost);
        self.log(LogLevel::Warn, &format!("is started again in {LATER:?}: {}", cause.to_text()));
        self.node.runtime.spawn(Arc::clone(self).revive(Instant::now() + LATER));
    }

    /// Takes the workload of that life away.
    fn replace(self: &Arc<Self>, life: u32, remedy: &Remedy, cause: &ActorError) {
        let mut gate = self.gate.lock();
        if gate.is_ending() || (gate.life != life && gate.workload.is_some()) {
            return;
        }
        if matches!(remedy, Remedy::Park) && gate.workload.is_some() {
            return self.park(gate, cause);
        }
        let sifted = self.sift(&mut gate);
        if gate.workload.is_none() {
            // Another one is on its way, or the actor is parked.
            drop(gate);
            return self.give_back(sifted);
        }
        let wait = match remedy {
            Remedy::Restart | Remedy::Park => {
                self.crashed(gate, cause);
                return self.give_back(sifted);
            }
            Remedy::Later => LATER,
            Remedy::Renew => Duration::ZERO,
        };
        let lost = gate.clear();
        gate.state = ActorState::Restarting;
        drop(gate);
        drop(lost);
        self.log(LogLevel::Warn, &format!("gets a new workload: {}", cause.to_text()));
        self.give_back(sifted);
        self.node.runtime.spawn(Arc::clone(self).revive(Instant::now() + wait));
    }

    /// Takes no more messages until somebody resumes the actor.
    pub(super) fn park(self: &Arc<Self>, mut gate: MutexGuard<'_, Gate>, cause: &ActorError) {
        let lost = gate.clear();
        gate.state = ActorState::Parked { cause: cause.clone() };
        drop(gate);
        drop(lost);
        self.log(LogLevel::Error, &format!("is parked: {}", cause.to_text()));
        self.flush_if_closed();
        self.changed.notify_waiters();
    }

    /// Takes out of the mailbox what the store has: what was not committed comes again from there, and what is behind it must not come
    /// before.
    fn sift(&self, gate: &mut Gate) -> Sifted {
        let mut sifted = Sifted::default();
        for work in gate.mailbox.drain().collect::<Vec<_>>() {
            if work.then.is_stored() {
                sifted.stored.push(work);
                continue;
            }
            let key = self.key(work.envelope.caller.as_ref(), &work.event);
            let (priority, bytes) = (work.priority, work.bytes());
            match gate.mailbox.offer(work, priority, key, bytes) {
                Offer::Queued { .. } => {}
                Offer::Full(work) => sifted.refused.push(work),
                Offer::Shed { dropped, .. } => sifted.refused.extend(dropped),
            }
        }
        sifted
    }

    fn give_back(self: &Arc<Self>, sifted: Sifted) {
        for work in sifted.stored {
            if let Then::Nobody(letter) = &work.then {
                self.leave_stored(letter);
            }
        }
        sifted.refused.into_iter().for_each(|work| self.refuse(work, &self.full()));
        // Some restarts are one too many.
        self.flush_if_closed();
    }
}

/// What left the mailbox of a workload that is gone.
#[derive(Default)]
struct Sifted {
    stored: Vec<Work>,
    /// What found no room any more among the rest.
    refused: Vec<Work>,
}
