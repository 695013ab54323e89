use crate::core::{ExpireReplies, OutboxDone, OutboxFailed, sizes};
use crate::error::StoreError;
use crate::limits::BATCH_ITEMS_MAX;
use crate::model::{Accepted, Durability, Enqueue, Position};
use crate::postgres::answer::Answer;
use crate::postgres::group::{Group, Kind, number};

use super::{Parcel, Write, millis};

impl Write for Enqueue {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_enqueue(self)
    }

    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.to);
        let Parcel { size_and_lane, sum, caller, request, body } = Parcel::new(self.to, &self.message);
        let (messages, bytes) = (number(self.limits.messages), number(self.limits.bytes));
        let numbers = [slot, millis(self.now), messages, bytes, size_and_lane, sum];
        let Some(delivers) = &self.delivers else {
            return group.push(Kind::Enqueue, numbers, [caller, request, body]);
        };
        group.outs(&[delivers.id]);
        let behind = delivers.behind.map_or(0, |first| number(first.number()));
        group.push(Kind::Deliver, numbers, [caller, request, body]);
        group.push(Kind::Delivered, [number(delivers.id.number()), behind], []);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Accepted, StoreError> {
        Ok(match answer.number(0) {
            0 => Accepted::Queued(Position { priority: self.message.priority, seq: answer.number(1) }),
            _ => Accepted::Duplicate,
        })
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        match answer.code {
            1 => Some(StoreError::UnknownActor { actor: self.to }),
            7 => Some(answer.mailbox_full(self.limits)),
            13 => Some(StoreError::OutOfTurn { first: self.delivers.and_then(|delivers| delivers.behind)? }),
            _ => None,
        }
    }

    fn class(&self) -> Durability {
        self.durability
    }
}

impl Write for ExpireReplies {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        group.push(Kind::ExpireReplies, [BATCH_ITEMS_MAX as i64, millis(self.0)], []);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<u64, StoreError> {
        Ok(answer.number(0))
    }

    fn refused(&self, _answer: &Answer) -> Option<StoreError> {
        None
    }

    fn class(&self) -> Durability {
        Durability::Memory
    }
}

impl Write for OutboxDone {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_outbox_done(self.0.len())
    }

    fn encode(&self, group: &mut Group) {
        let (first, last) = group.outs(&self.0);
        group.push(Kind::OutboxDone, [first, last], []);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, _answer: &Answer) -> Option<StoreError> {
        None
    }

    /// What comes back to the outbox is delivered again. It is not in its mailbox any more then; only what was for the application comes twice.
    fn class(&self) -> Durability {
        Durability::Memory
    }
}

impl Write for OutboxFailed {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        group.outs(&[self.id]);
        group.push(Kind::OutboxFailed, [number(self.id.number()), millis(self.not_before)], []);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        let name = self.id.number().to_string();
        (answer.code == 12).then_some(StoreError::NotFound { what: "message of the outbox", name })
    }

    fn class(&self) -> Durability {
        Durability::Memory
    }
}
