//! The writes of the contract as steps of a group, and what the answers mean.

use bytes::Bytes;

use crate::contract::require;
use crate::core::sizes;
use crate::core::{
    Change, DropLetter, ExpireReplies, Flow, OutboxDone, OutboxFailed, Release, Renew, Reseal, RetryLetter, SetNote,
};
use crate::error::StoreError;
use crate::limits::{BATCH_ITEMS_MAX, CAUSE_BYTES_MAX};
use crate::model::{
    Accepted, ActorKey, Bury, Durability, Enqueue, Epoch, Lease, LetterId, Message, OpenActor, Position, Recorded, Time,
};
use crate::receipt::Done;
use crate::record;

use super::answer::{Answer, position};
use super::group::{Group, Kind, lane, number, text};
use super::sums;

/// A write that the database can make.
pub(super) trait Write: Change {
    /// What can be said without looking at what is stored.
    fn check(&self) -> Result<(), StoreError>;
    fn encode(&self, group: &mut Group);
    /// What the answer of a write means that was made.
    fn made(&self, answer: Answer, server: &str) -> Result<Self::Answer, StoreError>;
    /// What the answer of a write means that was refused; `None` if this write cannot be refused by that rule.
    fn refused(&self, answer: &Answer) -> Option<StoreError>;

    /// The class in which it is written, at least, if the server has it: an epoch or a note that is forgotten after it was
    /// acknowledged would be given out twice. What can be done again safely may be forgotten.
    fn class(&self) -> Durability {
        self.durability().max(Durability::Fsync)
    }
}

/// A write and whoever waits for it, of whatever type.
pub(super) trait Task: Send {
    fn flow(&self) -> Flow;
    fn bytes(&self) -> u64;
    fn class(&self) -> Durability;
    /// The class that was asked for.
    fn durability(&self) -> Durability;
    fn encode(&self, group: &mut Group);
    fn answer(self: Box<Self>, answer: Answer, server: &str);
    fn fail(self: Box<Self>, error: StoreError);
}

pub(super) struct Job<W: Write> {
    write: W,
    done: Done<W::Answer>,
}

impl<W: Write> Job<W> {
    /// Answers at once if the write cannot be made whatever is stored.
    pub(super) fn new(write: W, done: Done<W::Answer>, strongest: Durability) -> Option<Self> {
        match require(write.durability(), strongest).and_then(|()| write.check()) {
            Ok(()) => Some(Self { write, done }),
            Err(error) => {
                done.answer(Err(error));
                None
            }
        }
    }
}

impl<W: Write> Task for Job<W> {
    fn flow(&self) -> Flow {
        self.write.flow()
    }

    fn bytes(&self) -> u64 {
        self.write.bytes()
    }

    fn class(&self) -> Durability {
        self.write.class()
    }

    fn durability(&self) -> Durability {
        self.write.durability()
    }

    fn encode(&self, group: &mut Group) {
        self.write.encode(group);
    }

    fn answer(self: Box<Self>, answer: Answer, server: &str) {
        let Self { write, done } = *self;
        let result = match answer.code {
            0 => write.made(answer, server),
            code => Err(write.refused(&answer).unwrap_or_else(|| unexpected(code))),
        };
        done.answer(result);
    }

    fn fail(self: Box<Self>, error: StoreError) {
        self.done.answer(Err(error));
    }
}

fn unexpected(code: i64) -> StoreError {
    StoreError::Failed {
        cause: format!("the database refused a write by rule {code}, which is not one of its rules").into(),
    }
}

fn millis(time: Time) -> i64 {
    number(time.millis())
}

/// A message: its bytes and its lane in one number, what tells it apart, and its record.
pub(super) struct Parcel {
    pub(super) size_and_lane: i64,
    pub(super) sum: i64,
    pub(super) caller: Option<Bytes>,
    pub(super) request: Option<Bytes>,
    pub(super) body: Option<Bytes>,
}

impl Parcel {
    fn new(actor: ActorKey, message: &Message) -> Self {
        let body = record::encode_message(message);
        Self {
            size_and_lane: number(message.bytes()) << 1 | lane(message.priority),
            sum: sums::message(actor, &body),
            caller: text(&message.caller),
            request: message.request.as_deref().and_then(text),
            body: Some(body.into()),
        }
    }
}

impl Write for Enqueue {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_message(&self.message)
    }

    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.to);
        let Parcel { size_and_lane, sum, caller, request, body } = Parcel::new(self.to, &self.message);
        let (messages, bytes) = (number(self.limits.messages), number(self.limits.bytes));
        let numbers = [slot, millis(self.now), messages, bytes, size_and_lane, sum];
        group.push(Kind::Enqueue, numbers, [caller, request, body]);
    }

    fn made(&self, answer: Answer, server: &str) -> Result<Accepted, StoreError> {
        let seq = answer.number(1);
        Ok(match answer.number(0) {
            0 => Accepted::Queued(Position { priority: self.message.priority, seq }),
            1 => Accepted::Duplicate(Recorded::Pending(position(seq, answer.number(2)))),
            _ => {
                let sum = answer.numbers.get(1).copied().flatten();
                Accepted::Duplicate(Recorded::Answered(sums::checked_reply(server, self.to, sum, answer.bytes)?))
            }
        })
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        match answer.code {
            1 => Some(StoreError::UnknownActor { actor: self.to }),
            7 => Some(answer.mailbox_full(self.limits)),
            _ => None,
        }
    }

    fn class(&self) -> Durability {
        self.durability
    }
}

impl Write for OpenActor {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_identity(&self.identity)?;
        sizes::check_owner(&self.owner)
    }

    fn encode(&self, group: &mut Group) {
        let identity = &self.identity;
        let numbers = [i64::from(identity.realm.number()), millis(self.now), millis(self.now.after(self.lease_for))];
        let names = [identity.manufacturer.as_str(), identity.type_name.as_str(), &identity.instance, &self.owner];
        group.push(Kind::Open, numbers, names.map(text));
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Lease, StoreError> {
        Ok(answer.lease())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        (answer.code == 2).then(|| answer.owned_elsewhere())
    }

    /// With quorum, if there is one: a server that takes over must not give the epoch out again.
    fn class(&self) -> Durability {
        Durability::Quorum
    }
}

fn extend(group: &mut Group, actor: ActorKey, epoch: Epoch, until: Time) {
    let slot = group.slot(actor);
    group.push(Kind::Extend, [slot, number(epoch.number()), millis(until)], []);
}

fn not_extended(answer: &Answer, actor: ActorKey, epoch: Epoch) -> Option<StoreError> {
    match answer.code {
        1 => Some(StoreError::UnknownActor { actor }),
        3 => Some(answer.stale(actor, epoch)),
        _ => None,
    }
}

impl Write for Renew {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        extend(group, self.actor, self.epoch, self.until);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        not_extended(answer, self.actor, self.epoch)
    }
}

impl Write for Release {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        extend(group, self.actor, self.epoch, Time::default());
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        not_extended(answer, self.actor, self.epoch)
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

    /// What comes back to the outbox is delivered again, and known by its receiver.
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
pub(super) fn cause(cause: &str) -> Option<Bytes> {
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

impl Write for Reseal {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_sealed(&self.key.name, self.key.blob.len())
    }

    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.key.actor);
        let sum = sums::sealed_key(self.key.actor, &self.key.name, &self.key.blob);
        let bytes = [text(&self.key.name), Some(self.old.clone()), Some(self.key.blob.clone())];
        group.push(Kind::Reseal, [slot, 0, sum], bytes);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<bool, StoreError> {
        Ok(answer.number(0) == 1)
    }

    fn refused(&self, _answer: &Answer) -> Option<StoreError> {
        None
    }
}

impl Write for SetNote {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_note(&self.name, self.value.as_ref().map_or(0, Bytes::len))
    }

    fn encode(&self, group: &mut Group) {
        let sum = self.value.as_ref().map_or(0, |value| sums::note(&self.name, value));
        let bytes = [text(&self.name), self.expect.clone(), self.value.clone()];
        group.push(Kind::SetNote, [0, 0, sum], bytes);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        (answer.code == 10).then(|| StoreError::NoteChanged { name: self.name.clone() })
    }
}
