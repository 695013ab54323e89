use std::cell::{Cell, RefCell};
use std::ops::Bound;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Params, Row};

use crate::contract::KeyRange;
use crate::core::{Brief, Counters, Known, KnownBrief, Reads, ReplyBrief, reply_bytes};
use crate::error::StoreError;
use crate::limits::BATCH_BYTES_MAX;
use crate::model::{
    ActorInfo, ActorKey, BatchLimits, Identity, Letter, LetterId, OutId, OutPosted, Position, Priority, Queued,
    RequestKey, SealedKey, Time, Timer, Versioned,
};
use crate::record::IdentityRecord;

use super::decode::{Place, decode_request, encode_request, select};
use super::fault;
use super::quarantine::Quarantine;

pub(super) type Result<T> = std::result::Result<T, StoreError>;

/// The rows of a database by one connection: the writer's, within its transaction, or a reader's.
pub(super) struct SqliteRows<'c> {
    pub(super) connection: &'c Connection,
    pub(super) file: &'c str,
    pub(super) writes: Cell<u64>,
    /// Statements that write, and were used in this transaction: it uses a few of them over and over.
    pub(super) held: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
    quarantine: &'c Quarantine,
}

/// A number as SQLite keeps it.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn key(actor: ActorKey) -> i64 {
    signed(actor.number())
}

pub(super) fn lane(priority: Priority) -> i64 {
    i64::from(priority == Priority::Normal)
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

impl<'c> SqliteRows<'c> {
    pub(super) fn new(connection: &'c Connection, file: &'c str, quarantine: &'c Quarantine) -> Self {
        Self { connection, file, writes: Cell::new(0), held: RefCell::default(), quarantine }
    }

    fn place(&self, table: &'static str) -> Place<'_> {
        Place { file: self.file, table }
    }

    /// The row that a query finds, if it finds one.
    fn one<T>(&self, sql: &str, params: impl Params, decode: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        let fail = |error| fault::of_read(&error, self.file);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut rows = statement.query(params).map_err(fail)?;
        rows.next().map_err(fail)?.map(decode).transpose()
    }

    /// The rows that a query finds, as long as `decode` returns some.
    fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut decode: impl FnMut(&Row<'_>) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        let fail = |error| fault::of_read(&error, self.file);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut rows = statement.query(params).map_err(fail)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            match decode(row)? {
                Some(value) => found.push(value),
                None => break,
            }
        }
        Ok(found)
    }

    /// The rows of many actors that a query finds, as long as `takes` takes them. What is damaged is passed over, because the others go
    /// on; whoever checks the store finds it.
    fn across<T>(
        &self,
        sql: &str,
        params: impl Params,
        actor: usize,
        decode: impl Fn(&Row<'_>) -> Result<T>,
        mut takes: impl FnMut(&T) -> bool,
    ) -> Result<Vec<T>> {
        let fail = |error| fault::of_read(&error, self.file);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut rows = statement.query(params).map_err(fail)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            if self.quarantine.holds(ActorKey::from_number(self.number(row, actor)?)) {
                continue;
            }
            match decode(row) {
                Ok(value) if takes(&value) => found.push(value),
                Ok(_) => break,
                Err(StoreError::Corrupt(damage)) => tracing::warn!(%damage, "passed over"),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn number(&self, row: &Row<'_>, index: usize) -> Result<u64> {
        row.get::<_, i64>(index).map(i64::cast_unsigned).map_err(|error| fault::of_read(&error, self.file))
    }
}

impl Reads for SqliteRows<'_> {
    fn counters(&self) -> Result<Counters> {
        let found = self.one(select!(counters ""), [], |row| self.place("counters").counters(row))?;
        Ok(found.unwrap_or_default())
    }

    fn actor(&self, actor: ActorKey) -> Result<Option<ActorInfo>> {
        self.quarantine.check(actor)?;
        self.one(select!(actors " WHERE actor = ?1"), [key(actor)], |row| self.place("actors").actor(row))
    }

    fn actor_named(&self, identity: &Identity) -> Result<Option<ActorKey>> {
        let identity = prost::Message::encode_to_vec(&IdentityRecord::from(identity));
        let found =
            self.one(select!(actors " WHERE identity = ?1"), [identity], |row| self.place("actors").actor(row))?;
        self.quarantine.found("actors", found.map(|info| info.lease.actor))
    }

    /// Also those of which something else is damaged: whoever asks for one of them hears of that.
    fn actors(&self, after: ActorKey, items: usize) -> Result<Vec<ActorInfo>> {
        let sql = select!(actors " WHERE actor > ?1 ORDER BY actor");
        let mut batch = BatchLimits { items, bytes: usize::MAX }.start();
        let found = self.many(sql, [key(after)], |row| match self.place("actors").actor(row) {
            Ok(actor) => Ok(batch.takes(0).then_some(Some(actor))),
            Err(StoreError::Corrupt(damage)) => {
                tracing::warn!(%damage, "passed over");
                Ok(Some(None))
            }
            Err(error) => Err(error),
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Result<Vec<Queued>> {
        self.quarantine.check(actor)?;
        let sql = select!(mailbox " WHERE actor = ?1 AND lane = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4");
        let params = (key(actor), lane(after.priority), signed(after.seq), count(limits.items));
        let mut batch = limits.start();
        self.many(sql, params, |row| {
            let (_, queued) = self.place("mailbox").queued(row)?;
            Ok(batch.takes(queued.message.bytes()).then_some(queued))
        })
    }

    fn queued_at(&self, actor: ActorKey, position: Position) -> Result<Option<Queued>> {
        self.quarantine.check(actor)?;
        let sql = select!(mailbox " WHERE actor = ?1 AND lane = ?2 AND seq = ?3");
        let params = (key(actor), lane(position.priority), signed(position.seq));
        Ok(self.one(sql, params, |row| self.place("mailbox").queued(row))?.map(|(_, queued)| queued))
    }

    fn queued_brief(&self, actor: ActorKey, position: Position) -> Result<Option<Brief>> {
        let sql = "SELECT actor, lane, seq, head, sum FROM mailbox WHERE actor = ?1 AND lane = ?2 AND seq = ?3";
        let params = (key(actor), lane(position.priority), signed(position.seq));
        let found = self.one(sql, params, |row| self.place("mailbox").head(row))?;
        Ok(found.map(|(_, _, head)| Brief { bytes: head.bytes, request: head.request_key() }))
    }

    fn request(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<Known>> {
        self.quarantine.check(actor)?;
        let sql = select!(requests " WHERE actor = ?1 AND request = ?2");
        let params = (key(actor), encode_request(request));
        Ok(self.one(sql, params, |row| self.place("requests").request(row))?.map(|(_, _, known)| known))
    }

    fn request_brief(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<KnownBrief>> {
        self.quarantine.check(actor)?;
        let sql = "SELECT answered IS NULL, bytes FROM requests WHERE actor = ?1 AND request = ?2";
        self.one(sql, (key(actor), encode_request(request)), |row| match self.number(row, 0)? {
            0 => Ok(KnownBrief::Answered { bytes: self.number(row, 1)? }),
            _ => Ok(KnownBrief::Pending),
        })
    }

    fn oldest_replies(&self, items: usize) -> Result<Vec<ReplyBrief>> {
        let sql = "SELECT actor, request, answered, bytes FROM requests WHERE answered IS NOT NULL ORDER BY answered LIMIT ?1";
        let found = self.many(sql, [count(items)], |row| {
            let request: Vec<u8> = row.get(1).map_err(|error| fault::of_read(&error, self.file))?;
            let actor = ActorKey::from_number(self.number(row, 0)?);
            let (at, bytes) = (Time::from_millis(self.number(row, 2)?), self.number(row, 3)?);
            // A damaged key stays where it is, for a check to find.
            Ok(Some(decode_request(&request).ok().map(|request| ReplyBrief { actor, request, at, bytes })))
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn state(&self, actor: ActorKey, state_key: &[u8]) -> Result<Option<Versioned>> {
        self.quarantine.check(actor)?;
        let sql = select!(state " WHERE actor = ?1 AND key = ?2");
        Ok(self.one(sql, (key(actor), state_key), |row| self.place("state").state(row))?.map(|(_, _, found)| found))
    }

    fn state_bytes(&self, actor: ActorKey, state_key: &[u8]) -> Result<Option<u64>> {
        let sql = "SELECT length(value) FROM state WHERE actor = ?1 AND key = ?2";
        self.one(sql, (key(actor), state_key), |row| self.number(row, 0))
    }

    fn scan(&self, actor: ActorKey, range: &KeyRange, limits: BatchLimits) -> Result<Vec<(Bytes, Versioned)>> {
        self.quarantine.check(actor)?;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, from) = match &range.from {
            Bound::Included(from) => {
                (select!(state " WHERE actor = ?1 AND key >= ?2 ORDER BY key LIMIT ?3"), from.clone())
            }
            Bound::Excluded(from) => {
                (select!(state " WHERE actor = ?1 AND key > ?2 ORDER BY key LIMIT ?3"), from.clone())
            }
            Bound::Unbounded => (select!(state " WHERE actor = ?1 AND key > ?2 ORDER BY key LIMIT ?3"), Bytes::new()),
        };
        let mut batch = limits.start();
        self.many(sql, (key(actor), from.as_ref(), count(limits.items)), |row| {
            let (_, key, found) = self.place("state").state(row)?;
            let bytes = (key.len() + found.value.len()) as u64;
            Ok((range.contains(&key) && batch.takes(bytes)).then_some((key, found)))
        })
    }

    fn outbox(&self, after: OutId, limits: BatchLimits) -> Result<Vec<OutPosted>> {
        let sql = select!(outbox " WHERE id > ?1 ORDER BY id");
        let mut batch = limits.start();
        let takes = |posted: &OutPosted| batch.takes(posted.out.message.bytes());
        self.across(sql, [signed(after.number())], 1, |row| self.place("outbox").out(row), takes)
    }

    fn out(&self, id: OutId) -> Result<Option<OutPosted>> {
        let sql = select!(outbox " WHERE id = ?1");
        self.one(sql, [signed(id.number())], |row| self.place("outbox").out(row))
    }

    fn out_actor(&self, id: OutId) -> Result<Option<ActorKey>> {
        let sql = "SELECT actor FROM outbox WHERE id = ?1";
        self.one(sql, [signed(id.number())], |row| Ok(ActorKey::from_number(self.number(row, 0)?)))
    }

    fn timer(&self, actor: ActorKey, name: &str) -> Result<Option<Timer>> {
        self.quarantine.check(actor)?;
        let sql = select!(timers " WHERE actor = ?1 AND name = ?2");
        self.one(sql, (key(actor), name), |row| self.place("timers").timer(row))
    }

    fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Result<Vec<Timer>> {
        self.quarantine.check(actor)?;
        let sql = select!(timers " WHERE actor = ?1 AND name > ?2 ORDER BY name LIMIT ?3");
        let mut batch = BatchLimits { items, bytes: BATCH_BYTES_MAX }.start();
        self.many(sql, (key(actor), after, count(items)), |row| {
            let timer = self.place("timers").timer(row)?;
            Ok(batch.takes(timer.body.len() as u64).then_some(timer))
        })
    }

    fn timers_due(&self, now: Time, items: usize) -> Result<Vec<Timer>> {
        let sql = select!(timers " WHERE due <= ?1 ORDER BY due, actor, name");
        let mut batch = BatchLimits { items, bytes: BATCH_BYTES_MAX }.start();
        let takes = |timer: &Timer| batch.takes(timer.body.len() as u64);
        self.across(sql, [signed(now.millis())], 0, |row| self.place("timers").timer(row), takes)
    }

    fn next_due(&self) -> Result<Option<Time>> {
        let sql = select!(timers " ORDER BY due");
        let mut batch = BatchLimits { items: 1, bytes: 0 }.start();
        let next = self.across(sql, [], 0, |row| self.place("timers").timer(row), |_| batch.takes(0))?;
        Ok(next.first().map(|timer| timer.due))
    }

    fn letters(&self, after: LetterId, limits: BatchLimits) -> Result<Vec<Letter>> {
        let sql = select!(letters " WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut batch = limits.start();
        self.many(sql, (signed(after.number()), count(limits.items)), |row| {
            let letter = self.place("letters").letter(row)?;
            Ok(batch.takes(letter.message.bytes()).then_some(letter))
        })
    }

    fn letter(&self, id: LetterId) -> Result<Option<Letter>> {
        let sql = select!(letters " WHERE id = ?1");
        let found = self.one(sql, [signed(id.number())], |row| self.place("letters").letter(row))?;
        self.quarantine.found("letters", found)
    }

    fn letter_bytes(&self, id: LetterId) -> Result<Option<u64>> {
        self.one("SELECT bytes FROM letters WHERE id = ?1", [signed(id.number())], |row| self.number(row, 0))
    }

    fn oldest_letter(&self, after: LetterId) -> Result<Option<(LetterId, u64)>> {
        let sql = "SELECT id, bytes FROM letters WHERE id > ?1 ORDER BY id LIMIT 1";
        self.one(sql, [signed(after.number())], |row| {
            Ok((LetterId::from_number(self.number(row, 0)?), self.number(row, 1)?))
        })
    }

    fn sealed_key(&self, actor: ActorKey, name: &str) -> Result<Option<Bytes>> {
        self.quarantine.check(actor)?;
        let sql = select!(sealed_keys " WHERE actor = ?1 AND name = ?2");
        let found = self.one(sql, (key(actor), name), |row| self.place("sealed_keys").sealed_key(row))?;
        Ok(found.map(|key| key.blob))
    }

    fn sealed_keys(&self, after: &(ActorKey, String), limits: BatchLimits) -> Result<Vec<SealedKey>> {
        let sql = select!(sealed_keys " WHERE (actor, name) > (?1, ?2) ORDER BY actor, name");
        let mut batch = limits.start();
        let takes = |key: &SealedKey| batch.takes(key.blob.len() as u64);
        self.across(sql, (key(after.0), &after.1), 0, |row| self.place("sealed_keys").sealed_key(row), takes)
    }

    fn note(&self, name: &str) -> Result<Option<Bytes>> {
        let found = self.one(select!(notes " WHERE name = ?1"), [name], |row| self.place("notes").note(row))?;
        self.quarantine.found("notes", found.map(|(_, value)| value))
    }
}

/// What the row of a request counts.
pub(super) fn request_bytes(request: &RequestKey, known: &Known) -> u64 {
    match known {
        Known::Pending(position) => super::decode::encode_position(*position),
        Known::Answered { reply, .. } => reply_bytes(request, reply.as_ref()),
    }
}
