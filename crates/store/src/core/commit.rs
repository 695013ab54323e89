use crate::error::StoreError;
use crate::model::{
    ActorKey, Commit, Committed, Consumed, Durability, KeyChange, OutId, OutPosted, SealedKey, Time, Timer, TimerChange,
};

use super::book::Ledger;
use super::change::{Change, Flow};
use super::letters::LetterDraft;
use super::plan::{Handled, Outcome};
use super::sizes;

impl Change for Commit {
    type Answer = Committed;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Committed, StoreError> {
        let plan = ledger.plan(self)?;
        for handled in &plan.messages {
            ledger.settle(self.actor, self.now, handled)?;
        }
        ledger.write_state(self)?;
        ledger.write_timers(self)?;
        ledger.write_keys(self)?;
        let first_out = ledger.write_outbox(self)?;
        if let Some(reply) = &self.reply {
            ledger.record(self.actor, &reply.request, Some(reply.reply.clone()), plan.replaced)?;
        }
        ledger.change_actor(self.actor, |info| {
            info.lease.usage = plan.usage;
            info.lease.revision = self.revision;
        });
        Ok(Committed { first_out, usage: plan.usage })
    }

    fn bytes(&self) -> u64 {
        sizes::commit_bytes(self)
    }

    /// What was handled may be finished from the reserve; what would only add may not.
    fn flow(&self) -> Flow {
        let adds = !self.state.is_empty() || !self.outbox.is_empty();
        if self.consumed.is_empty() && adds { Flow::Inward } else { Flow::Onward }
    }

    fn is_unhurried(&self) -> bool {
        self.durability == Durability::Memory && self.is_forgettable()
    }

    fn durability(&self) -> Durability {
        self.durability
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

impl Ledger<'_> {
    fn settle(&mut self, actor: ActorKey, at: Time, handled: &Handled) -> Result<(), StoreError> {
        let reply = match &handled.outcome {
            Outcome::Again { queued } => {
                let mut queued = queued.clone();
                queued.attempts = queued.attempts.saturating_add(1);
                return self.rows.put_queued(actor, &queued);
            }
            Outcome::Dead { queued, cause, reply } => {
                let attempts = queued.attempts.saturating_add(1);
                let message = &queued.message;
                self.post_letter(LetterDraft { actor, at, cause, attempts, message })?;
                reply
            }
            Outcome::Done { reply } => reply,
        };
        self.consume(actor, handled.position);
        match &handled.request {
            Some(request) => self.record(actor, request, reply.clone(), handled.replaced),
            None => Ok(()),
        }
    }

    fn write_state(&mut self, commit: &Commit) -> Result<(), StoreError> {
        for change in &commit.state {
            match &change.value {
                Some(value) => self.rows.put_state(commit.actor, &change.key, value, commit.revision)?,
                None => self.rows.delete_state(commit.actor, &change.key)?,
            }
        }
        Ok(())
    }

    fn write_timers(&mut self, commit: &Commit) -> Result<(), StoreError> {
        for consumed in &commit.consumed {
            if let Consumed::Timer { name, .. } = consumed {
                self.rows.delete_timer(commit.actor, name)?;
            }
        }
        for change in &commit.timers {
            match change {
                TimerChange::Set { name, due, body } => {
                    let (name, due, body) = (name.clone(), *due, body.clone());
                    self.rows.put_timer(&Timer { actor: commit.actor, name, due, body })?;
                }
                TimerChange::Cancel { name } => self.rows.delete_timer(commit.actor, name)?,
            }
        }
        Ok(())
    }

    fn write_keys(&mut self, commit: &Commit) -> Result<(), StoreError> {
        for change in &commit.keys {
            match change {
                KeyChange::Create { name, blob } | KeyChange::Replace { name, blob } => {
                    let (name, blob) = (name.clone(), blob.clone());
                    self.rows.put_sealed_key(&SealedKey { actor: commit.actor, name, blob })?;
                }
                KeyChange::Delete { name } => self.rows.delete_sealed_key(commit.actor, name)?,
            }
        }
        Ok(())
    }

    fn write_outbox(&mut self, commit: &Commit) -> Result<Option<OutId>, StoreError> {
        let mut first = None;
        for out in &commit.outbox {
            self.book.counters.out += 1;
            let id = OutId::from_number(self.book.counters.out);
            first = first.or(Some(id));
            self.rows.put_out(&OutPosted { id, actor: commit.actor, attempts: 0, out: out.clone() })?;
        }
        Ok(first)
    }
}
