//! What an actor's message did, from its end to its commit.
//!
//! The commit goes to the store before the right to handle goes back, so that the next message sees what this one wrote. The reply,
//! and the replies of those behind it, wait until the store has it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhouse_engine::{Failure, Outcome};
use playhouse_scheduler::Sentence;
use playhouse_store::{Consumed, Durability, Effects, Fate, RecordedReply};
use playhouse_types::{ActorError, Fault, LogLevel};
use tokio::sync::oneshot;

use super::acks::Handled;
use super::durable::recorded_reply;
use super::outcome::{Letter, Reply, Stored, Then};
use super::run::Run;
use super::turn::{Done, Source};
use super::{Cell, Work};

impl Cell {
    /// Whether the end of a message has anything to do with the store.
    pub(super) fn must_store(&self, run: &Run) -> bool {
        match (&run.turn, &self.durable) {
            (Some(turn), Some(durable)) => {
                turn.is_touched()
                    || durable.acks.holds()
                    || run.record.as_ref().is_some_and(|record| record.always)
                    // It may have been computed from what never came to be.
                    || !durable.acks.check(run.life)
            }
            _ => false,
        }
    }

    /// Ends a message for a caller that waits here.
    pub(super) async fn store_here(self: &Arc<Self>, run: Run, outcome: Outcome, patience: Instant) -> Reply {
        let (reply, answer) = oneshot::channel();
        if self.conclude_stored(run, outcome, Then::Reply(reply)) {
            self.wake();
        }
        self.await_answer(answer, patience).await
    }

    /// Gives a message what its commit needs, if that is sure to come. False if it has to wait for commits under way.
    pub(super) fn provide(&self, run: &Run, then: &Then) -> bool {
        let (Some(turn), Some(durable)) = (&run.turn, &self.durable) else { return true };
        let Then::Nobody(letter) = then else { return true };
        if durable.acks.is_full() {
            return false;
        }
        if letter.stored.is_none() {
            return true;
        }
        match turn.source().try_begin() {
            Ok(Some(effects)) => {
                turn.begin_with(effects);
                true
            }
            Ok(None) => false,
            // It is handled, and refused at its end.
            Err(_) => true,
        }
    }

    /// Puts a message back that has to wait for commits under way. False: no other may begin either.
    pub(super) fn hold(self: &Arc<Self>, run: Run, work: Work) -> bool {
        let Run { ticket, turn, .. } = run;
        let mut gate = self.gate.lock();
        let _ = work.put_back(&mut gate.mailbox, ticket);
        let first = !std::mem::replace(&mut gate.flow.held_up, true);
        drop(gate);
        if let Some(turn) = turn.filter(|_| first) {
            let cell = Arc::clone(self);
            self.node.runtime.spawn(async move {
                if let Some(durable) = &cell.durable {
                    durable.acks.passed().await;
                }
                // An error shows again when the message is handled.
                let _ = turn.source().begin().await;
                drop(turn);
                cell.gate.lock().flow.held_up = false;
                cell.wake();
            });
        }
        false
    }

    /// As [`Self::conclude`], for an actor with a store.
    pub(super) fn conclude_stored(self: &Arc<Self>, mut run: Run, outcome: Outcome, then: Then) -> bool {
        let Some(turn) = run.turn.take() else { return self.conclude(run, outcome, then) };
        let (then, outcome) = match (then, outcome) {
            (Then::Nobody(letter), Err(Failure::Crash(cause))) => {
                turn.end();
                return self.stored_tell_crashed(run, letter, turn.source().clone(), cause);
            }
            other => other,
        };
        let failed = turn.failure().filter(|_| outcome.is_err() && then.is_stored());
        let done = turn.end();
        if let (Some(error), Then::Nobody(letter)) = (failed, &then) {
            return self.could_not_handle(run, letter, &error);
        }
        let outcome = match (done.broken.clone(), outcome) {
            (Some(error), Ok(_)) => Err(Failure::Error(error)),
            (_, outcome) => outcome,
        };
        let handled = self.handled(&mut run, done, turn.source().clone(), (then, &outcome));
        if Arc::strong_count(&turn) == 1 {
            turn.renew();
            run.turn = Some(turn);
        }
        self.submit(handled);
        let more = self.settle(run, &outcome);
        if let Err(failure @ Failure::Crash(_)) = &outcome {
            self.report(failure, "a request");
        }
        more
    }

    /// The store failed a tell's handler, and so the handler failed: the tell is handled again, by the next workload.
    fn could_not_handle(self: &Arc<Self>, run: Run, letter: &Letter, error: &ActorError) -> bool {
        self.log(LogLevel::Warn, &format!("a tell of {} could not be handled: {}", letter.route, error.to_text()));
        self.leave_stored(letter);
        // Before the right to handle goes back: what is behind this one must not come before it.
        self.restart_for_store(run.life, error);
        let more = self.settle(run, &Err(Failure::Error(error.clone())));
        self.read_on();
        more
    }

    /// What is to be committed of a message that was handled, and who hears of it.
    fn handled(self: &Arc<Self>, run: &mut Run, done: Done, source: Source, end: (Then, &Outcome)) -> Handled {
        let (then, outcome) = end;
        let Done { mut effects, mut timers, mut posts, spoke, .. } = done;
        if outcome.is_err() {
            posts = false;
            timers.clear();
            effects.iter_mut().for_each(Effects::undo);
        }
        match &then {
            Then::Nobody(letter) => self.consume(&mut effects, letter, outcome),
            Then::Reply(_) => self.record(run, &mut effects, &source, outcome),
            Then::Chunk(_) | Then::Hook => {}
        }
        if let (Then::Nobody(_) | Then::Chunk(_) | Then::Hook, Err(failure)) = (&then, outcome) {
            self.report_unheard(&then, failure);
        }
        let outcome = match outcome {
            Ok(bytes) => Ok(bytes.clone()),
            Err(failure) => Err(failure.clone().into_error()),
        };
        // What another actor was asked is not asked again lightly.
        let forgettable = !spoke && effects.as_ref().is_some_and(Effects::is_forgettable);
        let class = if forgettable { Durability::Memory } else { run.class };
        Handled { life: run.life, class, effects, posts, timers, source, then, outcome }
    }

    fn report_unheard(self: &Arc<Self>, then: &Then, failure: &Failure) {
        match then {
            Then::Nobody(letter) => self.report(failure, &format!("a tell of {}", letter.route)),
            Then::Chunk(_) => self.report(failure, "a stream chunk"),
            Then::Hook => {
                self.log(LogLevel::Warn, &format!("a hook failed: {}", failure.clone().into_error().to_text()));
            }
            Then::Reply(_) => {}
        }
    }

    /// Says what becomes of a tell that was handled, well or not.
    fn consume(&self, effects: &mut Option<Effects>, letter: &Letter, outcome: &Outcome) {
        let cause = outcome.as_ref().err().map(|failure| failure.clone().into_error());
        let corrupt = cause.filter(|cause| cause.kind().fault() == Fault::Corrupt);
        match (&letter.stored, effects) {
            (Some(Stored::Message(position)), Some(effects)) => {
                let fate = match corrupt {
                    Some(cause) => {
                        self.gate.lock().tallies.dead_letters += 1;
                        Fate::Dead { cause: cause.to_text(), reply: None }
                    }
                    None => Fate::Done { reply: None },
                };
                effects.consume(Consumed::Message { position: *position, fate });
            }
            (Some(Stored::Timer { .. }) | None, _) => {
                if let Some(cause) = corrupt {
                    self.bury(letter.clone(), cause);
                }
            }
            // It could not be given what its commit needs: the store has failed, and the message stays in it.
            (Some(Stored::Message(_)), None) => {}
        }
    }

    /// Records the reply to a request with what it did.
    fn record(&self, run: &mut Run, effects: &mut Option<Effects>, source: &Source, outcome: &Outcome) {
        let Some(record) = run.record.take() else { return };
        let has_effects = outcome.is_ok() && effects.as_ref().is_some_and(|effects| !effects.is_empty());
        if !has_effects && !record.always {
            return;
        }
        if effects.is_none() {
            // With as much under way as may be, the reply to a message without effects is not recorded.
            *effects = source.try_begin().ok().flatten();
        }
        if let Some(effects) = effects {
            let reply = recorded_reply(outcome);
            effects.record_reply(RecordedReply { request: record.key, reply });
        }
    }

    /// As [`Self::tell_crashed`], for a tell that the store has as well.
    fn stored_tell_crashed(
        self: &Arc<Self>,
        run: Run,
        mut letter: Box<Letter>,
        source: Source,
        cause: ActorError,
    ) -> bool {
        if letter.stored.is_none() {
            return self.tell_crashed(run, *letter, cause);
        }
        let what = format!("a tell of {}", letter.route);
        let restart = self.setup.options.restart;
        let failure = Failure::Crash(cause.clone());
        let life = run.life;
        let before = letter.attempts;
        // The next workload is made when the store has taken note: it may be under way before that is submitted.
        let coming = self.durable.as_ref().map(|durable| durable.acks.coming());
        let more = self.settle_with(run, &Err(failure.clone()), |mailbox, ticket, is_cause| {
            letter.charge(is_cause);
            if restart.judge(letter.attempts) == Sentence::DeadLetter {
                return mailbox.finish(ticket);
            }
            Work::again((*letter).clone()).put_back(mailbox, ticket)
        });
        self.report(&failure, &what);
        if letter.attempts == before {
            self.flush_if_closed();
            return more;
        }
        let dead = restart.judge(letter.attempts) == Sentence::DeadLetter;
        let fate = match dead {
            true => Fate::Dead { cause: cause.to_text(), reply: None },
            false => Fate::Again,
        };
        if dead {
            self.gate.lock().tallies.dead_letters += 1;
        }
        self.submit_fate(life, source, letter, fate);
        drop(coming);
        self.flush_if_closed();
        more
    }

    /// Tells whoever has to hear of a message that is as durable as it was to be.
    pub(super) fn hear(&self, then: Then, outcome: Result<Bytes, ActorError>) {
        match then {
            Then::Reply(reply) => drop(reply.send(Reply { outcome, begun: true })),
            Then::Nobody(letter) => {
                if let (Some(Stored::Message(position)), Some(durable)) = (&letter.stored, &self.durable) {
                    durable.intake.handled(*position);
                }
            }
            Then::Chunk(_) | Then::Hook => {}
        }
    }

    /// Commits what a hook outside the mailbox did, and waits for it.
    pub(super) async fn commit_hook(&self, done: Done, source: &Source) -> Result<(), ActorError> {
        if let Some(error) = done.broken {
            return Err(error);
        }
        let (Some(effects), Some(durable)) = (done.effects, &self.durable) else { return Ok(()) };
        let class: Durability = durable.classes.effects(None);
        let receipt = source.store.commit(effects, crate::clock::now(), class);
        self.change_timers(&mut None, done.timers, None);
        if let Err(error) = receipt.await {
            durable.timers.forget();
            self.reopen_after(&error);
            return Err(error.into());
        }
        if done.posts {
            durable.keeper.posted.notify_one();
        }
        Ok(())
    }
}
