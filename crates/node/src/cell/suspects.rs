//! Messages that may have ended the process. An actor whose node did not give it back was on a process that died, and what waited for
//! it then may be why. Until that has passed, it is noted what is being handled; and what the process dies of again is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use playhouse_scheduler::Sentence;
use playhouse_store::{
    ActorKey, BatchLimits, COMMITS_UNDER_WAY_MAX, Consumed, Durability, Fate, Identity, Position, Priority, StoreError,
    Time,
};
use playhouse_types::{ActorError, Code, ErrorKind, LogLevel};

use super::outcome::{Letter, Stored, Then};
use super::turn::Source;
use super::{Cell, Setup};
use crate::clock::now;
use crate::keeper::Keeper;

/// What was there when a process died.
#[derive(Default)]
pub(super) struct Suspects {
    /// Up to where in the mailbox, by priority.
    until: [u64; 2],
    /// Timers that were due by then.
    due: Time,
    /// Whether those that it died of are still to be judged.
    unjudged: AtomicBool,
}

impl Suspects {
    /// Looks at an actor that is about to be opened: before that one can see whether its last node gave it back.
    pub(super) async fn look(keeper: &Keeper, identity: &Identity, setup: &Setup) -> Result<Self, StoreError> {
        let Some(running) = &keeper.running else { return Ok(Self::default()) };
        let Some(before) = keeper.store.find_actor(identity).await? else { return Ok(Self::default()) };
        let actor = before.lease.actor;
        if before.lease.until == Time::default() {
            running.of(actor).iter().for_each(|(stored, _)| running.end(actor, stored));
            return Ok(Self::default());
        }
        // What can have begun was in the mailbox, or its commit was under way. Twice that, because some were being handled.
        let begun = (setup.options.mailbox.capacity + COMMITS_UNDER_WAY_MAX).saturating_mul(2);
        let until = [
            last_of(keeper, actor, Priority::Signal, begun).await?,
            last_of(keeper, actor, Priority::Normal, begun).await?,
        ];
        Ok(Self { until, due: now(), unjudged: AtomicBool::new(true) })
    }

    fn has(&self, stored: &Stored) -> bool {
        match stored {
            Stored::Message(position) => position.seq <= self.until[position.priority as usize],
            Stored::Timer { due, .. } => *due <= self.due,
        }
    }
}

/// Where the first so many messages of a mailbox end.
async fn last_of(keeper: &Keeper, actor: ActorKey, priority: Priority, items: usize) -> Result<u64, StoreError> {
    let (mut after, mut left) = (Position::start(priority), items);
    while left > 0 {
        let usual = BatchLimits::default();
        let limits = BatchLimits { items: left.min(usual.items), ..usual };
        let batch = keeper.store.queued(actor, after, limits).await?;
        let Some(last) = batch.last() else { break };
        after = last.position;
        left = left.saturating_sub(batch.len());
    }
    Ok(after.seq)
}

/// While it lives, it is known that a message is being handled.
pub(super) struct Witness {
    keeper: Arc<Keeper>,
    actor: ActorKey,
    stored: Stored,
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(running) = &self.keeper.running {
            running.end(self.actor, &self.stored);
        }
    }
}

impl Cell {
    /// Notes that a message begins, if it is a suspect.
    pub(super) fn witness(&self, then: &Then) -> Option<Box<Witness>> {
        let (Then::Nobody(letter), Some(durable)) = (then, &self.durable) else { return None };
        let stored = letter.stored.as_ref().filter(|stored| durable.suspects.has(stored))?;
        durable.keeper.running.as_ref()?.begin(durable.key, stored);
        Some(Box::new(Witness { keeper: Arc::clone(&durable.keeper), actor: durable.key, stored: stored.clone() }))
    }

    /// Gives up what the process has died of too often, before any of it is handled.
    pub(super) async fn judge_suspects(&self, source: &Source) -> Result<(), StoreError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        let Some(running) = &durable.keeper.running else { return Ok(()) };
        if !durable.suspects.unjudged.load(Ordering::Acquire) {
            return Ok(());
        }
        for (stored, begun) in running.of(durable.key) {
            // When the process died for the first time, the message was there, and nothing was noted.
            let deaths = begun.saturating_add(1);
            match self.find_stored(durable.key, &stored).await? {
                Some(letter) if !self.is_guilty(&letter, deaths) => {}
                Some(letter) => {
                    self.give_up(source, letter, deaths).await?;
                    running.end(durable.key, &stored);
                }
                None => running.end(durable.key, &stored),
            }
        }
        durable.suspects.unjudged.store(false, Ordering::Release);
        Ok(())
    }

    fn is_guilty(&self, letter: &Letter, deaths: u32) -> bool {
        self.setup.options.restart.judge(letter.attempts.saturating_add(deaths)) == Sentence::DeadLetter
    }

    /// Moves a message to the dead letters. A timer ends, also one that would come again: it would end the process again.
    async fn give_up(&self, source: &Source, mut letter: Letter, deaths: u32) -> Result<(), StoreError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        let text = format!("the process of the node has ended {deaths} times over it");
        let cause = ActorError::coded(ErrorKind::Internal, Code::ProcessEnded, text).to_text();
        self.log(LogLevel::Error, &format!("a tell of {} is given up: {cause}", letter.route));
        let commit = async |consumed| {
            let mut effects = source.begin().await?;
            effects.consume(consumed);
            source.store.commit(effects, now(), Durability::Fsync).await.map(drop)
        };
        match letter.stored.clone() {
            Some(Stored::Message(position)) => {
                // The store counts one attempt with each.
                for _ in 1..deaths {
                    commit(Consumed::Message { position, fate: Fate::Again }).await?;
                }
                let fate = Fate::Dead { cause, reply: None };
                commit(Consumed::Message { position, fate }).await?;
            }
            Some(Stored::Timer { name, due }) => {
                letter.attempts = letter.attempts.saturating_add(deaths);
                durable.bury(letter, cause).await?;
                durable.timers.end(&name);
                commit(Consumed::Timer { name, due }).await?;
            }
            None => {}
        }
        self.gate.lock().tallies.dead_letters += 1;
        Ok(())
    }

    /// What the store has of a message that was being handled, if it still has it.
    async fn find_stored(&self, actor: ActorKey, stored: &Stored) -> Result<Option<Letter>, StoreError> {
        let position = match stored {
            Stored::Timer { name, due } => return Ok(self.timer_letter(name, *due)),
            Stored::Message(position) => *position,
        };
        let Some(durable) = &self.durable else { return Ok(None) };
        let before = Position { seq: position.seq.saturating_sub(1), ..position };
        let found = durable.keeper.store.queued(actor, before, BatchLimits { items: 1, bytes: 1 }).await?;
        let found = found.into_iter().find(|found| found.position == position);
        Ok(found.and_then(|found| {
            let caller = if found.message.caller.is_empty() { None } else { Some(found.message.caller.parse().ok()?) };
            let mut letter = Letter::new(caller, found.message.route.parse().ok()?, found.message.payload);
            (letter.attempts, letter.stored) = (found.attempts, Some(stored.clone()));
            Some(letter)
        }))
    }
}
