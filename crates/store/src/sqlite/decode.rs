//! Rows as values, each checked against its checksum before anybody sees it. The order of the columns is that
//! of `select!`.

use bytes::Bytes;
use prost::Message as _;
use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::core::{Counters, Known};
use crate::error::{Damage, Printable, StoreError};
use crate::model::{
    ActorInfo, ActorKey, Letter, LetterId, OutId, OutPosted, Position, Priority, Queued, RequestKey, Revision,
    SealedKey, Time, Timer, Versioned,
};
use crate::record::{
    ActorRecord, HeadRecord, IdentityRecord, LetterRecord, OutRecord, Undecodable, checksum, decode_message,
};

use super::fault;

type Result<T> = std::result::Result<T, StoreError>;

/// A query for whole rows of a table: its columns stand in the order in which the functions below take them.
macro_rules! select {
    (counters $rest:literal) => {
        concat!("SELECT body, sum FROM counters", $rest)
    };
    (actors $rest:literal) => {
        concat!("SELECT actor, identity, body, sum FROM actors", $rest)
    };
    (mailbox $rest:literal) => {
        concat!("SELECT actor, lane, seq, head, sum, body FROM mailbox", $rest)
    };
    (requests $rest:literal) => {
        concat!("SELECT actor, request, answered, bytes, body, sum FROM requests", $rest)
    };
    (state $rest:literal) => {
        concat!("SELECT actor, key, version, sum, value FROM state", $rest)
    };
    (outbox $rest:literal) => {
        concat!("SELECT id, actor, body, sum FROM outbox", $rest)
    };
    (timers $rest:literal) => {
        concat!("SELECT actor, name, due, body, sum FROM timers", $rest)
    };
    (letters $rest:literal) => {
        concat!("SELECT id, bytes, body, sum FROM letters", $rest)
    };
    (sealed_keys $rest:literal) => {
        concat!("SELECT actor, name, blob, sum FROM sealed_keys", $rest)
    };
    (notes $rest:literal) => {
        concat!("SELECT name, value, sum FROM notes", $rest)
    };
}
pub(super) use select;

/// One row of a table in a file, for naming it.
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) table: &'static str,
}

impl Place<'_> {
    fn damage(&self, row: String, what: String) -> StoreError {
        Damage { file: self.file.to_owned(), table: self.table.to_owned(), row, what }.into()
    }

    /// Damage of a row.
    pub(super) fn row_damage(&self, row: &Row<'_>, what: &str) -> StoreError {
        self.damage(RowName(row).to_string(), what.to_owned())
    }

    /// A column; one of another type was not written by us.
    fn column<T: FromSql>(&self, row: &Row<'_>, index: usize) -> Result<T> {
        row.get(index).map_err(|error| match error {
            rusqlite::Error::InvalidColumnType(_, column, _) => {
                self.damage(RowName(row).to_string(), format!("column {column} has another type"))
            }
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::Utf8Error(..) => {
                self.damage(RowName(row).to_string(), error.to_string())
            }
            other => fault::of_read(&other, self.file),
        })
    }

    fn number(&self, row: &Row<'_>, index: usize) -> Result<u64> {
        self.column::<i64>(row, index).map(i64::cast_unsigned)
    }

    fn bytes(&self, row: &Row<'_>, index: usize) -> Result<Bytes> {
        let value = row.get_ref(index).map_err(|error| fault::of_read(&error, self.file))?;
        match value.as_blob() {
            Ok(blob) => Ok(Bytes::copy_from_slice(blob)),
            Err(error) => Err(self.damage(RowName(row).to_string(), error.to_string())),
        }
    }

    fn check(&self, row: &Row<'_>, found: u32, index: usize) -> Result<()> {
        let stored = self.number(row, index)?;
        if stored == u64::from(found) {
            return Ok(());
        }
        Err(self.damage(RowName(row).to_string(), format!("checksum is {found:08x}, was written as {stored:08x}")))
    }

    fn decoded<T>(&self, row: &Row<'_>, result: std::result::Result<T, Undecodable>) -> Result<T> {
        result.map_err(|error| self.damage(RowName(row).to_string(), error.0))
    }

    pub(super) fn counters(&self, row: &Row<'_>) -> Result<Counters> {
        let body = self.bytes(row, 0)?;
        self.check(row, checksum("counters", &[&body]), 1)?;
        self.decoded(row, Counters::decode(body).map_err(Into::into))
    }

    pub(super) fn actor(&self, row: &Row<'_>) -> Result<ActorInfo> {
        let (actor, identity, body) = (self.number(row, 0)?, self.bytes(row, 1)?, self.bytes(row, 2)?);
        self.check(row, checksum("actor", &[&actor.to_be_bytes(), &identity, &body]), 3)?;
        let identity = self.decoded(row, IdentityRecord::decode(identity).map_err(Into::into))?;
        let identity = self.decoded(row, identity.try_into())?;
        let record = self.decoded(row, ActorRecord::decode(body).map_err(Into::into))?;
        Ok(record.into_info(ActorKey::from_number(actor), identity))
    }

    /// The head of a queued message alone.
    pub(super) fn head(&self, row: &Row<'_>) -> Result<(ActorKey, Position, HeadRecord)> {
        let (actor, lane, seq) = (self.number(row, 0)?, self.number(row, 1)?, self.number(row, 2)?);
        let head = self.bytes(row, 3)?;
        self.check(row, head_checksum(actor, lane, seq, &head), 4)?;
        let head = self.decoded(row, HeadRecord::decode(head).map_err(Into::into))?;
        let priority = if lane == 0 { Priority::Signal } else { Priority::Normal };
        Ok((ActorKey::from_number(actor), Position { priority, seq }, head))
    }

    pub(super) fn queued(&self, row: &Row<'_>) -> Result<(ActorKey, Queued)> {
        let (actor, position, head) = self.head(row)?;
        let body = self.bytes(row, 5)?;
        let found = checksum("body", &[&body]);
        if found != head.body_checksum {
            let what = format!("checksum of the body is {found:08x}, was written as {:08x}", head.body_checksum);
            return Err(self.damage(RowName(row).to_string(), what));
        }
        let message = self.decoded(row, decode_message(body))?;
        Ok((actor, Queued { position, at: Time::from_millis(head.at), attempts: head.attempts, message }))
    }

    pub(super) fn request(&self, row: &Row<'_>) -> Result<(ActorKey, RequestKey, Known)> {
        let (actor, request) = (self.number(row, 0)?, self.bytes(row, 1)?);
        let answered: Option<i64> = self.column(row, 2)?;
        let bytes = self.number(row, 3)?;
        let body: Option<Vec<u8>> = self.column(row, 4)?;
        self.check(row, request_checksum(actor, &request, answered, bytes, body.as_deref()), 5)?;
        let key = self.decoded(row, decode_request(&request))?;
        let known = match answered {
            Some(at) => Known::Answered { at: Time::from_millis(at.cast_unsigned()), reply: body.map(Bytes::from) },
            // A request that waits keeps its position where an answered one counts its bytes.
            None => Known::Pending(decode_position(bytes)),
        };
        Ok((ActorKey::from_number(actor), key, known))
    }

    /// Whether a request with a checksum that is wrong would be right if it were some actor's: a test for actors. None if it cannot be
    /// read at all.
    pub(super) fn request_of(&self, row: &Row<'_>) -> Option<impl Fn(u64) -> bool> {
        let read = || -> Result<_> {
            let (request, answered, bytes) = (self.bytes(row, 1)?, self.column(row, 2)?, self.number(row, 3)?);
            let body: Option<Vec<u8>> = self.column(row, 4)?;
            let sum = |actor| request_checksum(actor, &request, answered, bytes, body.as_deref());
            // Of actors that differ in one bit, the checksums differ by what does not depend on anything else but the length: what
            // comes behind the actor, however long, need be read but for these.
            let none = sum(0);
            let bits: [u32; 64] = std::array::from_fn(|bit| sum(1 << bit) ^ none);
            Ok((self.number(row, 5)?, none, bits))
        };
        let (stored, none, bits) = read().ok()?;
        let sum = move |actor: u64| {
            let set = bits.iter().enumerate().filter(|(bit, _)| actor >> bit & 1 == 1);
            set.fold(none, |sum, (_, bit)| sum ^ bit)
        };
        Some(move |actor| stored == u64::from(sum(actor)))
    }

    pub(super) fn state(&self, row: &Row<'_>) -> Result<(ActorKey, Bytes, Versioned)> {
        let (actor, key, version) = (self.number(row, 0)?, self.bytes(row, 1)?, self.number(row, 2)?);
        let value = self.bytes(row, 4)?;
        self.check(row, state_checksum(actor, &key, version, &value), 3)?;
        Ok((ActorKey::from_number(actor), key, Versioned { value, version: Revision::from_number(version) }))
    }

    pub(super) fn out(&self, row: &Row<'_>) -> Result<OutPosted> {
        let (id, actor, body) = (self.number(row, 0)?, self.number(row, 1)?, self.bytes(row, 2)?);
        self.check(row, checksum("out", &[&id.to_be_bytes(), &actor.to_be_bytes(), &body]), 3)?;
        let record = self.decoded(row, OutRecord::decode(body).map_err(Into::into))?;
        let (id, actor, attempts) = (OutId::from_number(id), ActorKey::from_number(actor), record.attempts);
        Ok(OutPosted { id, actor, attempts, out: record.into_out() })
    }

    pub(super) fn timer(&self, row: &Row<'_>) -> Result<Timer> {
        let (actor, name, due) = (self.number(row, 0)?, self.column::<String>(row, 1)?, self.number(row, 2)?);
        let body = self.bytes(row, 3)?;
        self.check(row, timer_checksum(actor, &name, due, &body), 4)?;
        Ok(Timer { actor: ActorKey::from_number(actor), name, due: Time::from_millis(due), body })
    }

    pub(super) fn letter(&self, row: &Row<'_>) -> Result<Letter> {
        let (id, bytes, body) = (self.number(row, 0)?, self.number(row, 1)?, self.bytes(row, 2)?);
        self.check(row, checksum("letter", &[&id.to_be_bytes(), &bytes.to_be_bytes(), &body]), 3)?;
        let record = self.decoded(row, LetterRecord::decode(body).map_err(Into::into))?;
        let LetterRecord { actor, at, cause, attempts, message } = record;
        let (actor, at) = (ActorKey::from_number(actor), Time::from_millis(at));
        Ok(Letter { id: LetterId::from_number(id), actor, at, cause, attempts, message: message.into() })
    }

    pub(super) fn sealed_key(&self, row: &Row<'_>) -> Result<SealedKey> {
        let (actor, name, blob) = (self.number(row, 0)?, self.column::<String>(row, 1)?, self.bytes(row, 2)?);
        self.check(row, checksum("key", &[&actor.to_be_bytes(), name.as_bytes(), &blob]), 3)?;
        Ok(SealedKey { actor: ActorKey::from_number(actor), name, blob })
    }

    pub(super) fn note(&self, row: &Row<'_>) -> Result<(String, Bytes)> {
        let (name, value) = (self.column::<String>(row, 0)?, self.bytes(row, 1)?);
        self.check(row, checksum("note", &[name.as_bytes(), &value]), 2)?;
        Ok((name, value))
    }
}

pub(super) fn head_checksum(actor: u64, lane: u64, seq: u64, head: &[u8]) -> u32 {
    checksum("head", &[&actor.to_be_bytes(), &lane.to_be_bytes(), &seq.to_be_bytes(), head])
}

pub(super) fn request_checksum(
    actor: u64,
    request: &[u8],
    answered: Option<i64>,
    bytes: u64,
    body: Option<&[u8]>,
) -> u32 {
    let answered = answered.map_or([0; 9], |at| {
        let mut tagged = [1; 9];
        tagged[1..].copy_from_slice(&at.to_be_bytes());
        tagged
    });
    let has_body = [u8::from(body.is_some())];
    let parts: [&[u8]; 6] =
        [&actor.to_be_bytes(), request, &answered, &bytes.to_be_bytes(), &has_body, body.unwrap_or_default()];
    checksum("request", &parts)
}

pub(super) fn state_checksum(actor: u64, key: &[u8], version: u64, value: &[u8]) -> u32 {
    checksum("state", &[&actor.to_be_bytes(), key, &version.to_be_bytes(), value])
}

pub(super) fn timer_checksum(actor: u64, name: &str, due: u64, body: &[u8]) -> u32 {
    checksum("timer", &[&actor.to_be_bytes(), name.as_bytes(), &due.to_be_bytes(), body])
}

/// A request as a key of a table: the caller's length, the caller, the id.
pub(super) fn encode_request(request: &RequestKey) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 + request.caller.len() + request.request.len());
    // INVARIANT: a caller has at most 512 bytes; longer ones were refused before.
    key.extend_from_slice(&u16::try_from(request.caller.len()).unwrap_or(u16::MAX).to_be_bytes());
    key.extend_from_slice(request.caller.as_bytes());
    key.extend_from_slice(request.request.as_bytes());
    key
}

pub(super) fn decode_request(key: &[u8]) -> std::result::Result<RequestKey, Undecodable> {
    let bad = || Undecodable("the key is not that of a request".to_owned());
    let (length, rest) = key.split_first_chunk::<2>().ok_or_else(bad)?;
    let (caller, request) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(bad)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| bad());
    Ok(RequestKey { caller: text(caller)?, request: text(request)? })
}

/// A position as a number: sequence numbers stay below 2^62 for longer than anybody waits.
pub(super) fn encode_position(position: Position) -> u64 {
    position.seq << 1 | u64::from(position.priority == Priority::Normal)
}

fn decode_position(number: u64) -> Position {
    let priority = if number & 1 == 0 { Priority::Signal } else { Priority::Normal };
    Position { priority, seq: number >> 1 }
}

/// The key of a row for people: its first columns, up to three.
struct RowName<'a, 'b>(&'a Row<'b>);

impl std::fmt::Display for RowName<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use rusqlite::types::ValueRef;
        for (index, column) in self.0.as_ref().column_names().take(3).enumerate() {
            if matches!(column, "body" | "head" | "value" | "blob" | "sum") {
                break;
            }
            f.write_str(if index == 0 { "" } else { " " })?;
            match self.0.get_ref(index) {
                Ok(ValueRef::Integer(number)) => write!(f, "{column} {number}")?,
                Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => write!(f, "{column} {}", Printable(bytes))?,
                _ => write!(f, "{column} ?")?,
            }
        }
        Ok(())
    }
}
