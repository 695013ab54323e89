//! An actor's timers, as the store will have them once what is under way is committed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use playhouse_scheduler::{CallChain, Key, Offer, Priority};
use playhouse_store::{ActorKey, Consumed, Effects, StoreError, Time, TimerChange};
use playhouse_types::{ActorError, Event, HostReply, LogLevel, TimerOp};

use super::outcome::{Letter, Stored, Then};
use super::turn::Turn;
use super::{Cell, Envelope, Work};
use crate::clock::now;
use crate::ids;
use crate::keeper::Keeper;
use crate::schedule::TimerRecord;

/// Timers that are read from the store at a time.
const READ_ITEMS: usize = 256;

#[derive(Default)]
pub(super) struct Timers {
    set: Mutex<BTreeMap<String, Alarm>>,
    /// The attempts of those that the set does not have any more, although what their messages did was refused: until it is read again.
    /// Locked within it.
    refused: Mutex<HashMap<String, (Time, u32)>>,
    /// Whether the set is what the store has.
    known: AtomicBool,
}

struct Alarm {
    due: Time,
    body: Bytes,
    /// How often its message was handled and is to blame that it has to be handled again.
    attempts: u32,
    /// Whether a message is on its way.
    fired: bool,
}

/// What a message does to timers: a time and what comes with it, or none.
pub(super) type Changes = HashMap<String, Option<(Time, Bytes)>>;

impl Timers {
    /// What is here may never come to be.
    pub(super) fn forget(&self) {
        self.known.store(false, Ordering::Release);
    }

    /// Whether what is here is what the store has.
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// A timer is there no more.
    pub(super) fn end(&self, name: &str) {
        self.set.lock().remove(name);
    }

    fn all(&self) -> Vec<(String, Time)> {
        let set = self.set.lock();
        set.iter().filter(|(_, alarm)| !alarm.fired).map(|(name, alarm)| (name.clone(), alarm.due)).collect()
    }

    /// Replaces what is known by what the store has. What was known.
    fn learn(&self, mut all: BTreeMap<String, Alarm>) -> BTreeMap<String, Alarm> {
        let mut set = self.set.lock();
        let refused = std::mem::take(&mut *self.refused.lock());
        for (name, alarm) in &mut all {
            // The store does not count them.
            let before = set.get(name).map(|before| (before.due, before.attempts));
            let attempts = [before, refused.get(name).copied()].into_iter().flatten();
            alarm.attempts =
                attempts.filter(|(due, _)| *due == alarm.due).map(|(_, attempts)| attempts).max().unwrap_or(0);
        }
        self.known.store(true, Ordering::Release);
        std::mem::replace(&mut *set, all)
    }

    /// Has the node's keeper watch none of them any more.
    pub(super) fn disarm(&self, keeper: &Keeper, actor: ActorKey) {
        disarm(keeper, actor, std::mem::take(&mut *self.set.lock()));
    }
}

fn disarm(keeper: &Keeper, actor: ActorKey, alarms: BTreeMap<String, Alarm>) {
    for (name, alarm) in alarms {
        keeper.disarm(alarm.due, actor, name);
    }
}

impl Alarm {
    fn new(due: Time, body: Bytes) -> Self {
        Self { due, body, attempts: 0, fired: false }
    }

    /// Says that the timer's message was handled, and sets the timer again if it comes again.
    fn consume(&self, effects: &mut Effects, changes: &mut Changes, name: &str) -> Result<(), StoreError> {
        effects.consume(Consumed::Timer { name: name.to_owned(), due: self.due });
        if changes.contains_key(name) {
            return Ok(());
        }
        let next = TimerRecord::from_bytes(self.body.clone()).and_then(|record| record.again(self.due, now()));
        if let Some(due) = next {
            effects.set_again(name.to_owned(), due, self.body.clone())?;
        }
        changes.insert(name.to_owned(), next.map(|due| (due, self.body.clone())));
        Ok(())
    }
}

/// Sets or ends a timer with the message at hand.
pub(super) async fn perform(turn: Arc<Turn>, op: TimerOp) -> Result<HostReply, ActorError> {
    let mut slot = turn.slot().await?;
    match op {
        TimerOp::Set(timer) => {
            let name = timer.name.as_str().to_owned();
            let (record, due) = TimerRecord::new(timer, now())?;
            let body = record.to_bytes();
            slot.effects()?.change_timer(TimerChange::Set { name: name.clone(), due, body: body.clone() })?;
            slot.timers.insert(name, Some((due, body)));
        }
        TimerOp::Cancel { name } => {
            let name = name.as_str().to_owned();
            slot.effects()?.change_timer(TimerChange::Cancel { name: name.clone() })?;
            slot.timers.insert(name, None);
        }
    }
    Ok(HostReply::Done)
}

impl Cell {
    /// Reads the actor's timers from the store, if what is known of them may not be true. Nothing is under way.
    pub(super) async fn know_timers(&self) -> Result<(), StoreError> {
        let Some(durable) = self.durable.as_ref().filter(|durable| !durable.timers.is_known()) else {
            return Ok(());
        };
        let mut all = BTreeMap::new();
        let mut after = String::new();
        loop {
            let batch = durable.keeper.store.timers(durable.key, &after, READ_ITEMS).await?;
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.name);
            all.extend(batch.into_iter().map(|timer| (timer.name, Alarm::new(timer.due, timer.body))));
        }
        // Those that are still set are armed when messages are let in.
        disarm(&durable.keeper, durable.key, durable.timers.learn(all));
        Ok(())
    }

    /// Has the node's keeper watch all timers that have not fired.
    pub(super) fn arm_timers(&self) {
        let Some(durable) = &self.durable else { return };
        for (name, due) in durable.timers.all() {
            durable.keeper.arm(due, durable.key, name);
        }
    }

    /// Takes note of what a message does to timers, in the order in which the store will hear of it. Its own timer is consumed; if that is not
    /// set any more, nothing of what the message did is to happen.
    pub(super) fn change_timers(
        &self,
        effects: &mut Option<Effects>,
        mut changes: Changes,
        fired: Option<(&str, Time)>,
    ) {
        let Some(durable) = self.durable.as_ref().filter(|_| fired.is_some() || !changes.is_empty()) else { return };
        let mut set = durable.timers.set.lock();
        if let (Some((name, due)), Some(effects)) = (fired, effects) {
            match set.get(name).filter(|alarm| alarm.due == due) {
                Some(alarm) => {
                    if let Err(error) = alarm.consume(effects, &mut changes, name) {
                        self.log(LogLevel::Error, &format!("timer {name} cannot be set again: {error}"));
                    }
                }
                None => {
                    effects.undo();
                    changes.clear();
                }
            }
        }
        for (name, change) in changes {
            if let Some(before) = set.remove(&name) {
                durable.keeper.disarm(before.due, durable.key, name.clone());
            }
            if let Some((due, body)) = change {
                durable.keeper.arm(due, durable.key, name.clone());
                set.insert(name, Alarm::new(due, body));
            }
        }
    }

    /// Says that a timer's message will not be handled. Nothing is under way, and there is no workload until it is.
    pub(super) async fn give_up_timer(&self, effects: Effects, name: &str, due: Time) -> Result<Effects, StoreError> {
        let Some(durable) = &self.durable else { return Ok(effects) };
        // What the message did to the timers was refused, and may be in the set all the same.
        durable.timers.forget();
        self.know_timers().await?;
        let mut effects = Some(effects);
        self.change_timers(&mut effects, Changes::new(), Some((name, due)));
        durable.timers.forget();
        effects.ok_or(StoreError::Closed)
    }

    /// The time of a timer has come. It rings when what set it is as durable as it was to be, and so is not set once more after a crash.
    pub(crate) fn ring(self: &Arc<Self>, name: &str) {
        let Some(durable) = &self.durable else { return };
        if durable.acks.passed().now_or_never().is_some() {
            return self.ring_set(name);
        }
        let (cell, name) = (Arc::clone(self), name.to_owned());
        self.node.runtime.spawn(async move {
            if let Some(durable) = &cell.durable {
                durable.acks.passed().await;
            }
            cell.ring_set(&name);
        });
    }

    fn ring_set(self: &Arc<Self>, name: &str) {
        let Some(durable) = &self.durable else { return };
        let mut set = durable.timers.set.lock();
        let Some(alarm) = set.get_mut(name).filter(|alarm| !alarm.fired) else { return };
        if alarm.due > now() {
            // It was set anew, or the clock was set back since somebody looked.
            return durable.keeper.arm(alarm.due, durable.key, name.to_owned());
        }
        let Some(work) = self.timer_work(name, alarm) else { return };
        let bytes = work.bytes();
        let mut gate = self.gate.lock();
        if self.closed(&gate).is_some() {
            // It stays due, and rings when the actor is opened again.
            return;
        }
        if gate.workload.is_none() && !durable.timers.is_known() {
            // The next workload begins with what the store has, and then what is due rings: now, it would ring twice.
            let roused = gate.rouse();
            drop((gate, set));
            return self.queued(false, None, roused);
        }
        if !gate.mailbox.has_room(Priority::Normal, bytes) {
            return durable.keeper.arm_later(durable.key, name.to_owned());
        }
        let key = self.key(work.envelope.caller.as_ref(), &work.event);
        let key = if self.setup.key.is_some() { key } else { Key::NONE };
        let Offer::Queued { wake } = gate.mailbox.offer(work, Priority::Normal, key, bytes) else {
            return durable.keeper.arm_later(durable.key, name.to_owned());
        };
        let roused = gate.rouse();
        drop(gate);
        alarm.fired = true;
        drop(set);
        self.queued(wake, None, roused);
    }

    /// A timer's message was not handled: it rings again.
    pub(super) fn ring_again(&self, letter: &Letter) {
        let (Some(durable), Some(Stored::Timer { name, due })) = (&self.durable, &letter.stored) else { return };
        let mut set = durable.timers.set.lock();
        match set.get_mut(name) {
            Some(alarm) if alarm.due == *due => {
                alarm.fired = false;
                alarm.attempts = alarm.attempts.max(letter.attempts);
                durable.keeper.arm_later(durable.key, name.to_owned());
            }
            // It rings when the set has been read again, unless it was set anew.
            _ => {
                durable.timers.refused.lock().insert(name.clone(), (*due, letter.attempts));
                durable.timers.forget();
            }
        }
    }

    /// Whether a message comes from a timer that is not set for its time any more: it was cancelled or set anew while the message waited, or
    /// rang twice.
    pub(super) fn is_outdated(&self, then: &Then) -> bool {
        let (Some(durable), Some((name, due))) = (&self.durable, then.timer()) else { return false };
        durable.timers.set.lock().get(name).is_none_or(|alarm| alarm.due != due)
    }

    /// The message of a timer that is set for that time.
    pub(super) fn timer_letter(&self, name: &str, due: Time) -> Option<Letter> {
        let durable = self.durable.as_ref()?;
        let set = durable.timers.set.lock();
        let alarm = set.get(name).filter(|alarm| alarm.due == due)?;
        match self.timer_work(name, alarm)?.then {
            Then::Nobody(letter) => Some(*letter),
            _ => None,
        }
    }

    fn timer_work(&self, name: &str, alarm: &Alarm) -> Option<Work> {
        let Some((record, route)) = TimerRecord::from_bytes(alarm.body.clone()).and_then(|record| {
            let route = record.route()?;
            Some((record, route))
        }) else {
            self.log(LogLevel::Error, &format!("timer {name} is damaged and does not ring"));
            return None;
        };
        let payload = record.payload;
        let caller = Some(self.id.clone());
        let mut letter = Letter::new(caller.clone(), route.clone(), payload.clone());
        letter.attempts = alarm.attempts;
        letter.stored = Some(Stored::Timer { name: name.to_owned(), due: alarm.due });
        let event = Event::Request { route, payload };
        let request_id = ids::request_id();
        let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root(), recorded: false };
        Some(Work { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None, priority: Priority::Normal })
    }
}

#[cfg(test)]
mod tests;
