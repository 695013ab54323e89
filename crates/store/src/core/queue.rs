use crate::error::StoreError;
use crate::model::{Accepted, ActorKey, Durability, Enqueue, Position, QueueLimits, Queued, Recorded, Time};

use super::book::Ledger;
use super::change::{Change, Flow};
use super::rows::Known;
use super::sizes;

impl Change for Enqueue {
    type Answer = Accepted;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Accepted, StoreError> {
        sizes::check_message(&self.message)?;
        ledger.actor(self.to)?;
        let request = self.message.request_key();
        if let Some(request) = &request
            && let Some(known) = ledger.rows.request(self.to, request)?
        {
            return Ok(Accepted::Duplicate(known.into()));
        }
        let bytes = self.message.bytes();
        ledger.check_room(self.to, bytes, self.limits)?;

        let position = ledger.next_position(self.message.priority);
        let queued = Queued { position, at: self.now, attempts: 0, message: self.message.clone() };
        ledger.rows.put_queued(self.to, &queued)?;
        if let Some(request) = &request {
            ledger.rows.put_request(self.to, request, &Known::Pending(position))?;
        }
        ledger.count_queued(self.to, bytes);
        Ok(Accepted::Queued(position))
    }

    fn bytes(&self) -> u64 {
        self.message.bytes()
    }

    fn flow(&self) -> Flow {
        Flow::Inward
    }

    fn durability(&self) -> Durability {
        self.durability
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

impl Ledger<'_> {
    pub(super) fn check_room(&mut self, actor: ActorKey, bytes: u64, limits: QueueLimits) -> Result<(), StoreError> {
        let usage = self.actor(actor)?.lease.usage;
        let full = |what, wanted, limit| Err(StoreError::MailboxFull { what, wanted, limit });
        if usage.queued >= limits.messages {
            return full("messages", usage.queued + 1, limits.messages);
        }
        if usage.queued_bytes.saturating_add(bytes) > limits.bytes {
            return full("bytes", usage.queued_bytes.saturating_add(bytes), limits.bytes);
        }
        Ok(())
    }

    pub(super) fn next_position(&mut self, priority: crate::model::Priority) -> Position {
        self.book.counters.seq += 1;
        Position { priority, seq: self.book.counters.seq }
    }

    pub(super) fn count_queued(&mut self, actor: ActorKey, bytes: u64) {
        self.change_actor(actor, |info| {
            info.lease.usage.queued += 1;
            info.lease.usage.queued_bytes += bytes;
        });
    }
}

impl From<Known> for Recorded {
    fn from(known: Known) -> Self {
        match known {
            Known::Pending(position) => Self::Pending(position),
            Known::Answered { reply, .. } => Self::Answered(reply),
        }
    }
}
