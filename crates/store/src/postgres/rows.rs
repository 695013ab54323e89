//! Rows of the database as values of the contract, each checked against its checksum.

use bytes::Bytes;
use playhouse_types::{Name, Realm, Serial};
use prost::Message as _;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::contract::Stats;
use crate::error::StoreError;
use crate::model::{
    ActorInfo, ActorKey, Epoch, Identity, Lease, Letter, LetterId, Message, OutId, OutPosted, Queued, Recorded,
    Revision, SealedKey, Time, Timer, Usage, Versioned,
};
use crate::record::{OutRecord, decode_message};

use super::answer::position;
use super::group::lane;
use super::sums;

type Result<T> = std::result::Result<T, StoreError>;

/// A row and where it is from.
pub(super) struct Line<'a> {
    pub(super) server: &'a str,
    pub(super) table: &'static str,
    pub(super) row: &'a Row,
}

/// Reads every row of an answer.
pub(super) fn all<T>(
    server: &str,
    table: &'static str,
    rows: &[Row],
    decode: impl Fn(&Line<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    rows.iter().map(|row| decode(&Line { server, table, row })).collect()
}

/// Reads the rows of many actors. What is damaged is passed over, because the others go on; whoever checks the store finds it.
pub(super) fn sound<T>(
    server: &str,
    table: &'static str,
    rows: &[Row],
    decode: impl Fn(&Line<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let decoded = rows.iter().map(|row| decode(&Line { server, table, row }));
    let passed_over = |result: &Result<T>| {
        if let Err(StoreError::Corrupt(damage)) = result {
            tracing::warn!(%damage, "passed over");
        }
        !matches!(result, Err(StoreError::Corrupt(_)))
    };
    decoded.filter(passed_over).collect()
}

/// Reads the row of an answer that has one at most.
pub(super) fn one<T>(
    server: &str,
    table: &'static str,
    rows: &[Row],
    decode: impl Fn(&Line<'_>) -> Result<T>,
) -> Result<Option<T>> {
    rows.first().map(|row| decode(&Line { server, table, row })).transpose()
}

impl<'a> Line<'a> {
    fn get<T: FromSql<'a>>(&self, column: &'static str) -> Result<T> {
        self.row.try_get(column).map_err(|error| self.damaged(column.to_owned(), error.to_string()))
    }

    fn number(&self, column: &'static str) -> Result<u64> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|_| self.damaged(column.to_owned(), format!("is {number}")))
    }

    fn actor(&self) -> Result<ActorKey> {
        self.number("actor").map(ActorKey::from_number)
    }

    fn time(&self, column: &'static str) -> Result<Time> {
        self.number(column).map(Time::from_millis)
    }

    fn bytes(&self, column: &'static str) -> Result<Bytes> {
        self.get::<&[u8]>(column).map(Bytes::copy_from_slice)
    }

    fn text(&self, column: &'static str) -> Result<String> {
        let bytes: Vec<u8> = self.get(column)?;
        String::from_utf8(bytes).map_err(|_| self.damaged(column.to_owned(), "is not text"))
    }

    fn attempts(&self) -> Result<u32> {
        self.number("attempts").map(|attempts| u32::try_from(attempts).unwrap_or(u32::MAX))
    }

    fn damaged(&self, row: String, what: impl Into<String>) -> StoreError {
        sums::damaged(self.server, self.table, row, what)
    }

    fn check(&self, row: impl FnOnce() -> String, sum: i64) -> Result<()> {
        sums::agree(self.get("sum")?, sum).map_err(|what| self.damaged(row(), what))
    }

    pub(super) fn info(&self) -> Result<ActorInfo> {
        let actor = self.actor()?;
        let name = |column| -> Result<Name> {
            let text = self.text(column)?;
            text.parse().map_err(|error| self.damaged(format!("actor {actor}"), format!("{error}")))
        };
        let identity = Identity {
            realm: Realm::new(u32::try_from(self.number("realm")?).unwrap_or(u32::MAX)),
            manufacturer: name("manufacturer")?,
            type_name: name("type_name")?,
            instance: self.text("instance")?,
        };
        let usage = Usage {
            state_keys: self.number("state_keys")?,
            state_bytes: self.number("state_bytes")?,
            timers: self.number("timers")?,
            outbox: self.number("outbox")?,
            sealed_keys: self.number("sealed_keys")?,
            queued: self.number("queued")?,
            queued_bytes: self.number("queued_bytes")?,
        };
        let lease = Lease {
            actor,
            serial: Serial::new(actor.number()),
            epoch: Epoch::from_number(self.number("epoch")?),
            until: self.time("until")?,
            revision: Revision::from_number(self.number("revision")?),
            usage,
        };
        Ok(ActorInfo { identity, lease, owner: self.text("owner")? })
    }

    /// The message of a row of the mailbox or of the letters. What stands beside it must be what it says itself.
    fn message(&self, row: impl Fn() -> String) -> Result<Message> {
        let (actor, body) = (self.actor()?, self.bytes("body")?);
        self.check(&row, sums::message(actor, &body))?;
        let message = decode_message(body).map_err(|error| self.damaged(row(), error.0))?;
        let request: Option<&[u8]> = self.get("request")?;
        let beside = (self.get::<&[u8]>("caller")?, request, self.number("lane")?, self.number("bytes")?);
        let says = (
            message.caller.as_bytes(),
            message.request.as_deref().map(str::as_bytes),
            lane(message.priority).cast_unsigned(),
            message.bytes(),
        );
        if beside == says {
            Ok(message)
        } else {
            Err(self.damaged(row(), "what stands beside the message is not what it says"))
        }
    }

    pub(super) fn queued(&self) -> Result<Queued> {
        let (actor, seq, lane) = (self.actor()?, self.number("seq")?, self.number("lane")?);
        let message = self.message(|| format!("actor {actor}, message {seq}"))?;
        Ok(Queued { position: position(lane, seq), at: self.time("at")?, attempts: self.attempts()?, message })
    }

    pub(super) fn recorded(&self) -> Result<Recorded> {
        if self.get::<Option<i64>>("at")?.is_none() {
            return Ok(Recorded::Pending(position(self.number("lane")?, self.number("seq")?)));
        }
        let reply = self.get::<Option<&[u8]>>("reply")?.map(Bytes::copy_from_slice);
        sums::checked_reply(self.server, self.actor()?, self.get("sum")?, reply).map(Recorded::Answered)
    }

    pub(super) fn state(&self) -> Result<(Bytes, Versioned)> {
        let (actor, key, value) = (self.actor()?, self.bytes("key")?, self.bytes("value")?);
        let version = Revision::from_number(self.number("version")?);
        let row = || format!("actor {actor}, key {}", crate::error::Printable(&key));
        self.check(row, sums::state(actor, &key, version, &value))?;
        Ok((key, Versioned { value, version }))
    }

    pub(super) fn posted(&self) -> Result<OutPosted> {
        let (actor, id, body) = (self.actor()?, self.number("id")?, self.bytes("body")?);
        self.check(|| format!("message {id}"), sums::out(actor, &body))?;
        let record =
            OutRecord::decode(body).map_err(|error| self.damaged(format!("message {id}"), error.to_string()))?;
        let mut out = record.into_out();
        out.not_before = self.time("not_before")?;
        Ok(OutPosted { id: OutId::from_number(id), actor, attempts: self.attempts()?, out })
    }

    pub(super) fn timer(&self) -> Result<Timer> {
        let (actor, name, due) = (self.actor()?, self.text("name")?, self.time("due")?);
        let body = self.bytes("body")?;
        self.check(|| format!("actor {actor}, timer {name:?}"), sums::timer(actor, &name, due, &body))?;
        Ok(Timer { actor, name, due, body })
    }

    pub(super) fn letter(&self) -> Result<Letter> {
        let id = self.number("id")?;
        let message = self.message(|| format!("letter {id}"))?;
        let (actor, at, cause) = (self.actor()?, self.time("at")?, self.text("cause")?);
        Ok(Letter { id: LetterId::from_number(id), actor, at, cause, attempts: self.attempts()?, message })
    }

    pub(super) fn sealed_key(&self) -> Result<SealedKey> {
        let (actor, name, blob) = (self.actor()?, self.text("name")?, self.bytes("blob")?);
        self.check(|| format!("actor {actor}, key {name:?}"), sums::sealed_key(actor, &name, &blob))?;
        Ok(SealedKey { actor, name, blob })
    }

    pub(super) fn note(&self) -> Result<Bytes> {
        let (name, value) = (self.text("name")?, self.bytes("value")?);
        self.check(|| format!("note {name:?}"), sums::note(&name, &value))?;
        Ok(value)
    }

    pub(super) fn due(&self) -> Result<Time> {
        self.time("due")
    }

    /// What the database counts, beside what was counted here.
    pub(super) fn stats(&self, counted: Stats) -> Result<Stats> {
        Ok(Stats {
            actors: self.number("actors")?,
            letters: self.number("letters")?,
            letters_bytes: self.number("letter_bytes")?,
            letters_dropped: self.number("letters_dropped")?,
            replies: self.number("replies")?,
            replies_bytes: self.number("reply_bytes")?,
            disk_bytes: self.number("disk_bytes")?,
            ..counted
        })
    }
}
