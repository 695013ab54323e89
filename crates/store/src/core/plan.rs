use bytes::Bytes;

use crate::error::StoreError;
use crate::model::{
    ActorKey, Commit, Consumed, Expect, Fate, KeyChange, Position, Queued, Quota, RequestKey, StateChange, TimerChange,
    Usage,
};

use super::book::Ledger;
use super::sizes;

/// What a commit will do, found out before it does anything: after this, only the disk can fail it.
pub(super) struct Plan {
    /// What the actor keeps afterwards.
    pub(super) usage: Usage,
    pub(super) messages: Vec<Handled>,
    /// What the reply of the commit itself replaces.
    pub(super) replaced: Option<u64>,
}

/// A message of the mailbox that was handled.
pub(super) struct Handled {
    pub(super) position: Position,
    pub(super) request: Option<RequestKey>,
    /// What a reply that is replaced counts for.
    pub(super) replaced: Option<u64>,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    Done { reply: Option<Bytes> },
    Again { queued: Box<Queued> },
    Dead { queued: Box<Queued>, cause: String, reply: Option<Bytes> },
}

/// What two entries of one commit may not have in common.
pub(super) fn consumed_name(consumed: &Consumed) -> (Option<Position>, &str) {
    match consumed {
        Consumed::Message { position, .. } => (Some(*position), ""),
        Consumed::Timer { name, .. } => (None, name),
    }
}

pub(super) fn reply_of(consumed: &Consumed) -> Option<&Bytes> {
    match consumed {
        Consumed::Message { fate: Fate::Done { reply } | Fate::Dead { reply, .. }, .. } => reply.as_ref(),
        _ => None,
    }
}

impl Ledger<'_> {
    pub(super) fn plan(&mut self, commit: &Commit) -> Result<Plan, StoreError> {
        sizes::check_commit(commit)?;
        let info = self.owned(commit.actor, commit.epoch)?;
        let lease = info.lease;
        if commit.revision != lease.revision.next() {
            let (actor, given, last) = (commit.actor, commit.revision, lease.revision);
            return Err(StoreError::PredecessorFailed { actor, given, last });
        }
        let mut plan = Plan { usage: lease.usage, messages: Vec::new(), replaced: None };
        for consumed in &commit.consumed {
            self.plan_consumed(commit.actor, consumed, &mut plan)?;
        }
        for change in &commit.state {
            self.plan_state(commit.actor, change, &mut plan.usage)?;
        }
        for change in &commit.timers {
            self.plan_timer(commit, change, &mut plan.usage)?;
        }
        for change in &commit.keys {
            self.plan_key(commit.actor, change, &mut plan.usage)?;
        }
        plan.usage.outbox += commit.outbox.len() as u64;
        check_quota(&lease.usage, &plan.usage, &commit.quota)?;
        if let Some(reply) = &commit.reply {
            plan.replaced = self.replaced_reply(commit.actor, &reply.request)?;
        }
        Ok(plan)
    }

    fn plan_consumed(&mut self, actor: ActorKey, consumed: &Consumed, plan: &mut Plan) -> Result<(), StoreError> {
        match consumed {
            Consumed::Timer { name, due } => {
                let set = self.rows.timer(actor, name)?.is_some_and(|timer| timer.due == *due);
                if !set {
                    return Err(StoreError::TimerNotSet { actor, name: name.clone() });
                }
                plan.usage.timers = plan.usage.timers.saturating_sub(1);
                Ok(())
            }
            Consumed::Message { position, fate } => {
                let handled = self.plan_message(actor, *position, fate, &mut plan.usage)?;
                plan.messages.push(handled);
                Ok(())
            }
        }
    }

    fn plan_message(
        &mut self,
        actor: ActorKey,
        position: Position,
        fate: &Fate,
        usage: &mut Usage,
    ) -> Result<Handled, StoreError> {
        let missing = || StoreError::NotQueued { actor, position };
        let brief = self.brief(actor, position)?.ok_or_else(missing)?;
        let whole =
            || -> Result<_, StoreError> { Ok(Box::new(self.rows.queued_at(actor, position)?.ok_or_else(missing)?)) };
        let outcome = match fate {
            Fate::Done { reply } => Outcome::Done { reply: reply.clone() },
            Fate::Again => Outcome::Again { queued: whole()? },
            Fate::Dead { cause, reply } => {
                Outcome::Dead { queued: whole()?, cause: cause.clone(), reply: reply.clone() }
            }
        };
        let mut replaced = None;
        if !matches!(outcome, Outcome::Again { .. }) {
            usage.queued = usage.queued.saturating_sub(1);
            usage.queued_bytes = usage.queued_bytes.saturating_sub(brief.bytes);
            if let Some(request) = &brief.request {
                replaced = self.replaced_reply(actor, request)?;
            }
        }
        Ok(Handled { position, request: brief.request, replaced, outcome })
    }

    fn plan_state(&mut self, actor: ActorKey, change: &StateChange, usage: &mut Usage) -> Result<(), StoreError> {
        let old = match change.expect {
            Expect::Any => self.rows.state_bytes(actor, &change.key)?,
            Expect::Absent | Expect::Version(_) => {
                let found = self.rows.state(actor, &change.key)?;
                let version = found.as_ref().map(|found| found.version);
                let expected = if let Expect::Version(expected) = change.expect { Some(expected) } else { None };
                if version != expected {
                    return Err(StoreError::VersionMismatch { key: change.key.to_vec(), expected, found: version });
                }
                found.map(|found| found.value.len() as u64)
            }
        };
        let key = change.key.len() as u64;
        if let Some(old) = old {
            usage.state_keys = usage.state_keys.saturating_sub(1);
            usage.state_bytes = usage.state_bytes.saturating_sub(old + key);
        }
        if let Some(value) = &change.value {
            usage.state_keys += 1;
            usage.state_bytes += value.len() as u64 + key;
        }
        Ok(())
    }

    fn plan_timer(&mut self, commit: &Commit, change: &TimerChange, usage: &mut Usage) -> Result<(), StoreError> {
        let (name, set) = match change {
            TimerChange::Set { name, .. } => (name, 1),
            TimerChange::Cancel { name } => (name, 0),
        };
        let fired =
            commit.consumed.iter().any(|consumed| matches!(consumed, Consumed::Timer { name: it, .. } if it == name));
        let there = !fired && self.rows.timer(commit.actor, name)?.is_some();
        usage.timers = usage.timers.saturating_sub(u64::from(there)) + set;
        Ok(())
    }

    fn plan_key(&mut self, actor: ActorKey, change: &KeyChange, usage: &mut Usage) -> Result<(), StoreError> {
        let there = self.rows.sealed_key(actor, change.name())?.is_some();
        let kept = match change {
            KeyChange::Create { name, .. } if there => {
                return Err(StoreError::KeyExists { actor, name: name.clone() });
            }
            KeyChange::Create { .. } | KeyChange::Replace { .. } => 1,
            KeyChange::Delete { .. } => 0,
        };
        usage.sealed_keys = usage.sealed_keys.saturating_sub(u64::from(there)) + kept;
        Ok(())
    }
}

/// More than the quota is refused, unless it is less than it was.
fn check_quota(old: &Usage, new: &Usage, quota: &Quota) -> Result<(), StoreError> {
    let kept = [
        ("state_keys", old.state_keys, new.state_keys, quota.state_keys),
        ("state_bytes", old.state_bytes, new.state_bytes, quota.state_bytes),
        ("timers", old.timers, new.timers, quota.timers),
        ("outbox", old.outbox, new.outbox, quota.outbox),
        ("sealed_keys", old.sealed_keys, new.sealed_keys, quota.sealed_keys),
    ];
    for (what, old, wanted, limit) in kept {
        if wanted > limit && wanted > old {
            return Err(StoreError::QuotaExceeded { what, wanted, limit });
        }
    }
    Ok(())
}
