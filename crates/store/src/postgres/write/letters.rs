use bytes::Bytes;

use crate::core::{DropLetter, RetryLetter, sizes};
use crate::error::StoreError;
use crate::limits::CAUSE_BYTES_MAX;
use crate::model::{ActorKey, Bury, LetterId, Position};
use crate::postgres::answer::{Answer, position};
use crate::postgres::group::{Group, Kind, number, text};

use super::{Parcel, Write, millis};

impl Write for Bury {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_message(&self.message)
    }

    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.actor);
        let Parcel { size_and_lane, sum, caller, request, body } = Parcel::new(self.actor, &self.message);
        let numbers = [slot, millis(self.now), i64::from(self.attempts), 0, size_and_lane, sum];
        group.push(Kind::Bury, numbers, [caller, request, body, cause(&self.cause)]);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Option<LetterId>, StoreError> {
        Ok(Some(answer.number(0)).filter(|number| *number > 0).map(LetterId::from_number))
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        (answer.code == 1).then_some(StoreError::UnknownActor { actor: self.actor })
    }
}

/// A cause, cut at a character boundary.
pub(in crate::postgres) fn cause(cause: &str) -> Option<Bytes> {
    let end = (0..=cause.len().min(CAUSE_BYTES_MAX)).rev().find(|&end| cause.is_char_boundary(end));
    text(&cause[..end.unwrap_or(0)])
}

impl Write for RetryLetter {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        let id = group.letter(self.id);
        let (messages, bytes) = (number(self.limits.messages), number(self.limits.bytes));
        group.push(Kind::RetryLetter, [id, millis(self.now), messages, bytes], []);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Position, StoreError> {
        Ok(position(answer.number(0), answer.number(1)))
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        match answer.code {
            7 => Some(answer.mailbox_full(self.limits)),
            12 => Some(StoreError::NotFound { what: "dead letter", name: self.id.number().to_string() }),
            14 => Some(StoreError::RequestWaits { actor: ActorKey::from_number(answer.number(0)) }),
            _ => None,
        }
    }
}

impl Write for DropLetter {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        let id = group.letter(self.0);
        group.push(Kind::DropLetter, [id], []);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<bool, StoreError> {
        Ok(answer.number(0) == 1)
    }

    fn refused(&self, _answer: &Answer) -> Option<StoreError> {
        None
    }
}
