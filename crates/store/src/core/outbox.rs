use crate::error::StoreError;
use crate::model::{ActorKey, OutId, Time};

use super::book::Ledger;
use super::change::Change;

/// [`Store::outbox_done`](crate::Store::outbox_done).
pub(crate) struct OutboxDone(pub(crate) Vec<OutId>);

impl Change for OutboxDone {
    type Answer = ();

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        super::sizes::check_outbox_done(self.0.len())?;
        let mut there = Vec::with_capacity(self.0.len());
        for id in &self.0 {
            if let Some(actor) = ledger.rows.out_actor(*id)? {
                ledger.actor(actor)?;
                there.push((*id, actor));
            }
        }
        there.sort_unstable();
        there.dedup();
        for (id, actor) in there {
            ledger.take_out(id, actor)?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.0.len() as u64 * 8
    }
}

impl Ledger<'_> {
    /// Takes a message out of the outbox of an actor that was read in this change already.
    pub(super) fn take_out(&mut self, id: OutId, actor: ActorKey) -> Result<(), StoreError> {
        self.rows.delete_out(id)?;
        self.change_actor(actor, |info| info.lease.usage.outbox = info.lease.usage.outbox.saturating_sub(1));
        Ok(())
    }
}

/// [`Store::outbox_failed`](crate::Store::outbox_failed).
pub(crate) struct OutboxFailed {
    pub(crate) id: OutId,
    pub(crate) not_before: Time,
}

impl Change for OutboxFailed {
    type Answer = ();

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        let missing = || StoreError::NotFound { what: "message of the outbox", name: self.id.number().to_string() };
        let mut posted = ledger.rows.out(self.id)?.ok_or_else(missing)?;
        posted.attempts = posted.attempts.saturating_add(1);
        posted.out.not_before = self.not_before;
        ledger.rows.put_out(&posted)
    }

    fn bytes(&self) -> u64 {
        0
    }
}
