//! The writes of the contract as steps of a group, and what the answers mean.

mod letters;
mod messages;
mod owners;
mod vault;

use bytes::Bytes;

use crate::contract::require;
use crate::core::{Change, Flow};
use crate::error::StoreError;
use crate::model::{ActorKey, Durability, Message, Time};
use crate::receipt::Done;
use crate::record;
use crate::waiting::Waits;

use super::answer::Answer;
use super::group::{Group, lane, number, text};
use super::sums;

pub(super) use self::letters::cause;

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
pub(super) trait Task: Waits + Send {
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

impl<W: Write> Waits for Job<W> {
    fn flow(&self) -> Flow {
        self.write.flow()
    }

    fn bytes(&self) -> u64 {
        self.write.bytes()
    }

    fn is_unhurried(&self) -> bool {
        self.write.is_unhurried()
    }
}

impl<W: Write> Task for Job<W> {
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
