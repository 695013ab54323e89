use crate::error::StoreError;
use crate::model::{
    Accepted, ActorKey, Delivers, Durability, Enqueue, Position, Priority, QueueLimits, Queued, Recorded, Time,
};

use super::book::Ledger;
use super::change::{Change, Flow};
use super::rows::Known;
use super::sizes;

impl Change for Enqueue {
    type Answer = Accepted;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Accepted, StoreError> {
        sizes::check_enqueue(self)?;
        if let Some(delivers) = &self.delivers {
            return self.deliver(ledger, delivers);
        }
        let request = self.message.request_key();
        let bytes = self.message.bytes();
        if let Err(full) = ledger.check_room(self.to, bytes, self.limits) {
            // A repetition is one whether or not there is room for it.
            let known = request.map(|request| ledger.rows.request_brief(self.to, &request));
            return if known.transpose()?.flatten().is_some() { Ok(Accepted::Duplicate) } else { Err(full) };
        }
        let position = ledger.free_position(self.message.priority);
        if let Some(request) = &request
            && !ledger.rows.add_request(self.to, request, position)?
        {
            return Ok(Accepted::Duplicate);
        }
        let queued = Queued { position, at: self.now, attempts: 0, message: self.message.clone() };
        ledger.put_in(self.to, &queued)?;
        Ok(Accepted::Queued(position))
    }

    fn bytes(&self) -> u64 {
        self.message.bytes()
    }

    fn flow(&self) -> Flow {
        // What is delivered is there already.
        if self.delivers.is_some() { Flow::Onward } else { Flow::Inward }
    }

    fn durability(&self) -> Durability {
        self.durability
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

impl Enqueue {
    /// Takes a message out of the outbox and puts it into the mailbox.
    fn deliver(&self, ledger: &mut Ledger<'_>, delivers: &Delivers) -> Result<Accepted, StoreError> {
        ledger.actor(self.to)?;
        let Some(sender) = ledger.rows.out_actor(delivers.id)? else { return Ok(Accepted::Duplicate) };
        ledger.actor(sender)?;
        if let Some(first) = delivers.behind
            && ledger.rows.out_actor(first)?.is_some()
        {
            return Err(StoreError::OutOfTurn { first });
        }
        ledger.check_room(self.to, self.message.bytes(), self.limits)?;
        let position = ledger.free_position(self.message.priority);
        ledger.take_out(delivers.id, sender)?;
        let queued = Queued { position, at: self.now, attempts: 0, message: self.message.clone() };
        ledger.put_in(self.to, &queued)?;
        Ok(Accepted::Queued(position))
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

    /// The position of the next message that is [put in](Self::put_in).
    pub(super) fn free_position(&self, priority: Priority) -> Position {
        Position { priority, seq: self.book.counters.seq + 1 }
    }

    /// Puts a message into a mailbox, at a position that is free.
    pub(super) fn put_in(&mut self, actor: ActorKey, queued: &Queued) -> Result<(), StoreError> {
        self.book.counters.seq = queued.position.seq;
        self.rows.put_queued(actor, queued)?;
        self.note_queued(actor, queued);
        let bytes = queued.message.bytes();
        self.change_actor(actor, |info| {
            info.lease.usage.queued += 1;
            info.lease.usage.queued_bytes += bytes;
        });
        Ok(())
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
