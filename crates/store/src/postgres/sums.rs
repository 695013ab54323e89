//! Checksums: what kind of record it is, what it stands under as far as the writer knows, and what it says.

use bytes::Bytes;

use crate::error::{Damage, StoreError};
use crate::model::{ActorKey, Revision, Time};
use crate::record::checksum;

fn of(kind: &str, actor: ActorKey, parts: [&[u8]; 3]) -> i64 {
    let actor = actor.number().to_le_bytes();
    i64::from(checksum(kind, &[&actor, parts[0], parts[1], parts[2]]))
}

pub(super) fn message(actor: ActorKey, body: &[u8]) -> i64 {
    of("message", actor, [b"", b"", body])
}

pub(super) fn reply(actor: ActorKey, reply: &[u8]) -> i64 {
    of("reply", actor, [b"", b"", reply])
}

pub(super) fn state(actor: ActorKey, key: &[u8], version: Revision, value: &[u8]) -> i64 {
    of("state", actor, [key, &version.number().to_le_bytes(), value])
}

pub(super) fn timer(actor: ActorKey, name: &str, due: Time, body: &[u8]) -> i64 {
    of("timer", actor, [name.as_bytes(), &due.millis().to_le_bytes(), body])
}

pub(super) fn sealed_key(actor: ActorKey, name: &str, blob: &[u8]) -> i64 {
    of("sealed key", actor, [name.as_bytes(), b"", blob])
}

pub(super) fn out(actor: ActorKey, body: &[u8]) -> i64 {
    of("out", actor, [b"", b"", body])
}

pub(super) fn note(name: &str, value: &[u8]) -> i64 {
    i64::from(checksum("note", &[name.as_bytes(), value]))
}

/// Damage in a row of a table.
pub(super) fn damaged(server: &str, table: &str, row: String, what: impl Into<String>) -> StoreError {
    Damage { file: server.to_owned(), table: table.to_owned(), row, what: what.into() }.into()
}

/// An error unless the checksum that stands there is that of what stands there.
pub(super) fn agree(stands: Option<i64>, is: i64) -> Result<(), String> {
    if stands == Some(is) {
        return Ok(());
    }
    Err(format!("its checksum is {is:08x}, {:08x} was written", stands.unwrap_or(-1)))
}

/// A reply, if it is what was written.
pub(super) fn checked_reply(
    server: &str,
    actor: ActorKey,
    sum: Option<i64>,
    found: Option<Bytes>,
) -> Result<Option<Bytes>, StoreError> {
    let Some(bytes) = found else {
        return Ok(None);
    };
    match agree(sum, reply(actor, &bytes)) {
        Ok(()) => Ok(Some(bytes)),
        Err(what) => Err(damaged(server, "requests", format!("actor {actor}"), what)),
    }
}
