//! What follows when a message has been handled, or could not be.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use playhouse_engine::{Failure, Outcome};
use playhouse_scheduler::{CallChain, Mailbox, Priority, Sentence, Ticket};
use playhouse_store::{Position, Time};
use playhouse_types::{
    ActorError, ActorId, Code, ErrorCategory, ErrorEvent, ErrorKind, Event, Fault, LogLevel, RouteKey,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::run::Run;
use super::{Cell, Envelope, Gate, Work};
use crate::clock::timestamp;

/// How a call ended.
pub(super) struct Reply {
    pub(super) outcome: Result<Bytes, ActorError>,
    /// Whether the actor has begun to handle it.
    pub(super) begun: bool,
}

impl Reply {
    pub(super) const fn refused(error: ActorError) -> Self {
        Self { outcome: Err(error), begun: false }
    }
}

/// Where a reply goes.
pub(super) type Answer = oneshot::Sender<Reply>;

/// Who hears how a message was handled.
pub(super) enum Then {
    /// A caller.
    Reply(Answer),
    /// Nobody: a tell. It may be tried again, or become a dead letter.
    Nobody(Box<Letter>),
    /// The sender of a chunk, which may send the next once this one is handled.
    Chunk(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit),
    /// Nobody, and a failure is only logged.
    Hook,
}

impl Then {
    /// Whether the store has the message until a commit consumes it.
    pub(super) fn is_stored(&self) -> bool {
        matches!(self, Self::Nobody(letter) if letter.stored.is_some())
    }

    /// The timer that the message comes from.
    pub(super) fn timer(&self) -> Option<(&str, Time)> {
        match self {
            Self::Nobody(letter) => match &letter.stored {
                Some(Stored::Timer { name, due }) => Some((name, *due)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Times that a tell is handed out again because another message crashed its actor beside it. Then it is charged as if it had been the
/// cause: which of two was it is not always told truly, and nothing may go round for ever.
const BESIDE_MAX: u32 = 16;

/// A tell, as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) from: Option<ActorId>,
    pub(crate) route: RouteKey,
    pub(crate) payload: Bytes,
    /// How often it has crashed its actor.
    pub(crate) attempts: u32,
    /// How often its actor crashed of something else meanwhile.
    beside: u32,
    pub(super) priority: Priority,
    /// Where the store has it.
    pub(super) stored: Option<Stored>,
}

/// Where the store has what a tell comes from, until a commit consumes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Stored {
    /// A message of the mailbox.
    Message(Position),
    /// A timer that is due.
    Timer {
        /// Its name.
        name: String,
        /// When it was due.
        due: Time,
    },
}

impl Letter {
    pub(super) fn new(from: Option<ActorId>, route: RouteKey, payload: Bytes) -> Self {
        Self { from, route, payload, attempts: 0, beside: 0, priority: Priority::Normal, stored: None }
    }

    /// Takes note of a crash, and whether this letter was its cause.
    pub(super) fn charge(&mut self, cause: bool) {
        if cause || self.beside >= BESIDE_MAX {
            self.attempts += 1;
        } else {
            self.beside += 1;
        }
    }
}

impl Cell {
    /// Gives the right to handle back, and takes note of how it went. Whether somebody has to handle the next message.
    pub(super) fn settle(self: &Arc<Self>, run: Run, outcome: &Outcome) -> bool {
        self.settle_with(run, outcome, |mailbox, ticket, _| mailbox.finish(ticket))
    }

    /// `give_back` is told whether the message crashed the workload, rather than ended because another did.
    pub(super) fn settle_with(
        self: &Arc<Self>,
        run: Run,
        outcome: &Outcome,
        give_back: impl FnOnce(&mut Mailbox<Work>, Ticket, bool) -> bool,
    ) -> bool {
        let Run { ticket, life, timed, turn, .. } = run;
        let mut gate = self.gate.lock();
        gate.tallies.handled += 1;
        if gate.chain.depth() > 0 {
            gate.chain = CallChain::root();
        }
        if let Some(start) = timed {
            gate.latency.record(start.elapsed());
        }
        if let Some(turn) = turn
            && gate.life == life
            && let Some(turns) = &mut gate.turns
        {
            turns.put_back(turn);
        }
        let crash = match outcome {
            Err(Failure::Crash(cause)) if gate.life == life => Some(cause),
            _ => None,
        };
        gate.tallies.failed += u64::from(outcome.is_err());
        let mut more = give_back(&mut gate.mailbox, ticket, crash.is_some());
        let watched = gate.watchers > 0;
        match crash {
            Some(cause) => {
                more = false;
                self.crashed(gate, cause);
            }
            None => drop(gate),
        }
        if watched {
            self.changed.notify_waiters();
        }
        more
    }

    /// As [`Self::settle`], and tells whoever has to hear of it.
    pub(super) fn conclude(self: &Arc<Self>, run: Run, outcome: Outcome, then: Then) -> bool {
        if run.turn.is_some() && (then.is_stored() || self.must_store(&run)) {
            return self.conclude_stored(run, outcome, then);
        }
        let (then, outcome) = match (then, outcome) {
            (Then::Nobody(letter), Err(Failure::Crash(cause))) => return self.tell_crashed(run, *letter, cause),
            other => other,
        };
        let more = self.settle(run, &outcome);
        match (then, outcome) {
            (Then::Reply(reply), outcome) => {
                if let Err(failure @ Failure::Crash(_)) = &outcome {
                    self.report(failure, "a request");
                }
                let _ = reply.send(Reply { outcome: outcome.map_err(Failure::into_error), begun: true });
            }
            (Then::Nobody(letter), Err(failure)) => {
                self.report(&failure, &format!("a tell of {}", letter.route));
                let cause = failure.into_error();
                if cause.kind().fault() == Fault::Corrupt {
                    self.bury(*letter, cause);
                }
            }
            (Then::Chunk(_), Err(failure)) => self.report(&failure, "a stream chunk"),
            (Then::Hook, Err(failure)) => {
                self.log(LogLevel::Warn, &format!("a hook failed: {}", failure.into_error().to_text()));
            }
            (_, Ok(_)) => {}
        }
        more
    }

    /// Puts a tell whose actor crashed back before all others, for when the actor has been started again; or buries it, if it has
    /// crashed its actor often enough.
    pub(super) fn tell_crashed(self: &Arc<Self>, run: Run, mut letter: Letter, cause: ActorError) -> bool {
        let what = format!("a tell of {}", letter.route);
        let restart = self.setup.options.restart;
        let failure = Failure::Crash(cause.clone());
        let mut dead = None;
        let more = self.settle_with(run, &Err(failure.clone()), |mailbox, ticket, is_cause| {
            letter.charge(is_cause);
            if restart.judge(letter.attempts) == Sentence::DeadLetter {
                dead = Some(letter);
                return mailbox.finish(ticket);
            }
            Work::again(letter).put_back(mailbox, ticket)
        });
        self.report(&failure, &what);
        if let Some(letter) = dead {
            self.bury(letter, cause);
        }
        self.flush_if_closed();
        more
    }

    /// Keeps a letter that will not be handled for an operator to look at.
    pub(super) fn bury(&self, letter: Letter, cause: ActorError) {
        if let Some(durable) = &self.durable {
            return self.bury_stored(durable, letter, &cause);
        }
        self.gate.lock().tallies.dead_letters += 1;
        self.node.bury(&self.id, letter, cause);
    }

    /// Tells the workload, or its successor, of an error that no caller hears of in full, and logs it.
    pub(super) fn report(self: &Arc<Self>, failure: &Failure, what: &str) {
        let (error, category) = match failure {
            Failure::Error(error) => (error, ErrorCategory::HandlerError),
            Failure::Crash(error) => (error, ErrorCategory::HandlerPanic),
        };
        self.log(LogLevel::Warn, &format!("{what} failed: {}", error.to_text()));
        self.signal(Event::Error(ErrorEvent {
            source: error.clone(),
            category,
            context: what.to_owned(),
            timestamp: timestamp(),
        }));
    }

    /// Gives back the right to handle a message that is not to be handled, and that nobody waits for.
    pub(super) fn pass_over(&self, run: Run) {
        let mut gate = self.gate.lock();
        let _ = gate.mailbox.finish(run.ticket);
        let watched = gate.watchers > 0;
        drop(gate);
        if watched {
            self.changed.notify_waiters();
        }
    }

    /// Gives back the right to handle a message whose caller has given up.
    pub(super) fn skip(&self, run: Run, work: Work) {
        self.gate.lock().tallies.expired += 1;
        self.pass_over(run);
        let text = format!("the caller gave up before {} could begin", self.id);
        self.refuse(work, &ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text));
    }

    /// Tells whoever has to hear that a message will not be handled.
    pub(super) fn refuse(&self, work: Work, error: &ActorError) {
        self.node.begun(work.wait);
        match work.then {
            Then::Reply(reply) => {
                let _ = reply.send(Reply::refused(error.clone()));
            }
            // It stays in the store.
            Then::Nobody(letter) if letter.stored.is_some() => self.leave_stored(&letter),
            Then::Nobody(letter) => self.bury(*letter, error.clone()),
            Then::Chunk(_) | Then::Hook => {}
        }
    }

    /// Refuses what is queued in front of an actor that takes nothing more.
    pub(super) fn flush_if_closed(&self) {
        let mut gate = self.gate.lock();
        let Some(error) = self.closed(&gate) else { return };
        let queued: Vec<_> = gate.mailbox.drain().collect();
        drop(gate);
        queued.into_iter().for_each(|work| self.refuse(work, &error));
    }

    /// While it lives, `changed` rings after every change.
    pub(super) fn watch(&self) -> Watch<'_> {
        self.gate.lock().watchers += 1;
        Watch(self)
    }

    /// Waits until something holds; false if the time was up first.
    pub(super) async fn wait_until(&self, deadline: Instant, holds: impl Fn(&Gate) -> bool) -> bool {
        let _watch = self.watch();
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if holds(&self.gate.lock()) {
                return true;
            }
            if self.node.until(deadline, changed).await.is_none() {
                return false;
            }
        }
    }

    pub(super) fn log(&self, level: LogLevel, text: &str) {
        self.log_of(&self.id, level, text);
    }

    pub(super) fn log_of(&self, actor: &ActorId, level: LogLevel, text: &str) {
        self.node.logs.write(actor, level, text);
    }
}

impl Work {
    /// A tell that is to be handled once more.
    pub(super) fn again(letter: Letter) -> Self {
        let event = Event::Request { route: letter.route.clone(), payload: letter.payload.clone() };
        let request_id = crate::ids::request_id();
        let chain = CallChain::root();
        let envelope = Envelope { caller: letter.from.clone(), request_id, deadline: None, chain, recorded: false };
        let priority = letter.priority;
        Self { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None, priority }
    }

    /// Goes back to where it came from, before all others. Whether somebody has to handle it now.
    pub(super) fn put_back(self, mailbox: &mut Mailbox<Self>, ticket: Ticket) -> bool {
        let (priority, bytes) = (self.priority, self.bytes());
        mailbox.put_back(ticket, self, priority, bytes)
    }
}

/// While it lives, `changed` rings after every message.
pub(super) struct Watch<'a>(&'a Cell);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.gate.lock().watchers -= 1;
    }
}

/// A number that need not be fair, from the clock.
pub(super) fn jitter() -> u64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    u64::from(nanos).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
