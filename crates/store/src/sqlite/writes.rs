use bytes::Bytes;
use prost::Message as _;
use rusqlite::Params;

use crate::core::{Counters, Known, Rows};
use crate::model::{
    ActorInfo, ActorKey, Letter, LetterId, OutId, OutPosted, Position, Queued, RequestKey, Revision, SealedKey, Timer,
};
use crate::record::{
    ActorRecord, HeadRecord, IdentityRecord, LetterRecord, MessageRecord, OutRecord, checksum, encode_message,
};

use super::decode::{encode_position, encode_request, head_checksum, request_checksum, state_checksum, timer_checksum};
use super::fault;
use super::reads::{Result, SqliteRows, lane, request_bytes, signed};

impl SqliteRows<'_> {
    fn write(&self, sql: &'static str, params: impl Params) -> Result<()> {
        self.writes.set(self.writes.get() + 1);
        self.execute(sql, params).map(drop)
    }

    /// How many rows a statement changed.
    fn execute(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        let fail = |error| fault::of_write(&error, self.file);
        let mut held = self.held.borrow_mut();
        let at = match held.iter().position(|(of, _)| std::ptr::eq(*of, sql)) {
            Some(at) => at,
            None => {
                held.push((sql, self.connection.prepare_cached(sql).map_err(fail)?));
                held.len() - 1
            }
        };
        held[at].1.execute(params).map_err(fail)
    }
}

/// The parts of an actor's row: its identity, its body, their checksum.
fn actor_row(actor: &ActorInfo) -> (Vec<u8>, Vec<u8>, u32) {
    let identity = IdentityRecord::from(&actor.identity).encode_to_vec();
    let body = ActorRecord::from(actor).encode_to_vec();
    let sum = checksum("actor", &[&actor.lease.actor.number().to_be_bytes(), &identity, &body]);
    (identity, body, sum)
}

impl Rows for SqliteRows<'_> {
    fn writes(&self) -> u64 {
        self.writes.get()
    }

    fn put_counters(&mut self, counters: &Counters) -> Result<()> {
        let body = counters.encode_to_vec();
        let sum = checksum("counters", &[&body]);
        self.write("INSERT OR REPLACE INTO counters (id, body, sum) VALUES (1, ?1, ?2)", (body, sum))
    }

    fn add_actor(&mut self, actor: &ActorInfo) -> Result<()> {
        let (identity, body, sum) = actor_row(actor);
        let sql = "INSERT INTO actors (actor, identity, body, sum) VALUES (?1, ?2, ?3, ?4)";
        self.write(sql, (signed(actor.lease.actor.number()), identity, body, sum))
    }

    fn put_actor(&mut self, actor: &ActorInfo) -> Result<()> {
        let (_, body, sum) = actor_row(actor);
        let sql = "UPDATE actors SET body = ?2, sum = ?3 WHERE actor = ?1";
        self.write(sql, (signed(actor.lease.actor.number()), body, sum))
    }

    fn put_queued(&mut self, actor: ActorKey, queued: &Queued) -> Result<()> {
        let message = &queued.message;
        let body = encode_message(message);
        let head = HeadRecord {
            at: queued.at.millis(),
            attempts: queued.attempts,
            bytes: message.bytes(),
            caller: if message.request.is_some() { message.caller.clone() } else { String::new() },
            request: message.request.clone(),
            body_checksum: checksum("body", &[&body]),
        };
        let head = head.encode_to_vec();
        let lane = lane(queued.position.priority);
        let sum = head_checksum(actor.number(), lane.cast_unsigned(), queued.position.seq, &head);
        let sql = "INSERT OR REPLACE INTO mailbox (actor, lane, seq, head, sum, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write(sql, (signed(actor.number()), lane, signed(queued.position.seq), head, sum, body))
    }

    fn delete_queued(&mut self, actor: ActorKey, first: Position, last: u64) -> Result<()> {
        let sql = "DELETE FROM mailbox WHERE actor = ?1 AND lane = ?2 AND seq BETWEEN ?3 AND ?4";
        self.write(sql, (signed(actor.number()), lane(first.priority), signed(first.seq), signed(last)))
    }

    fn add_request(&mut self, actor: ActorKey, request: &RequestKey, waits: Position) -> Result<bool> {
        let (key, bytes) = (encode_request(request), encode_position(waits));
        let sum = request_checksum(actor.number(), &key, None, bytes, None);
        let sql = "INSERT INTO requests (actor, request, bytes, sum) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let added = self.execute(sql, (signed(actor.number()), key, signed(bytes), sum));
        let untouched = matches!(added, Ok(0));
        self.writes.set(self.writes.get() + u64::from(!untouched));
        Ok(added? > 0)
    }

    fn put_request(&mut self, actor: ActorKey, request: &RequestKey, known: &Known) -> Result<()> {
        let (answered, reply) = match known {
            Known::Pending(_) => (None, None),
            Known::Answered { at, reply } => (Some(signed(at.millis())), reply.as_deref()),
        };
        let key = encode_request(request);
        let bytes = request_bytes(request, known);
        let sum = request_checksum(actor.number(), &key, answered, bytes, reply);
        let sql = "INSERT OR REPLACE INTO requests (actor, request, answered, bytes, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write(sql, (signed(actor.number()), key, answered, signed(bytes), reply, sum))
    }

    fn delete_request(&mut self, actor: ActorKey, request: &RequestKey) -> Result<()> {
        let sql = "DELETE FROM requests WHERE actor = ?1 AND request = ?2";
        self.write(sql, (signed(actor.number()), encode_request(request)))
    }

    fn put_state(&mut self, actor: ActorKey, key: &Bytes, value: &Bytes, version: Revision) -> Result<()> {
        let sum = state_checksum(actor.number(), key, version.number(), value);
        let sql = "INSERT OR REPLACE INTO state (actor, key, version, sum, value) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(sql, (signed(actor.number()), key.as_ref(), signed(version.number()), sum, value.as_ref()))
    }

    fn delete_state(&mut self, actor: ActorKey, key: &[u8]) -> Result<()> {
        self.write("DELETE FROM state WHERE actor = ?1 AND key = ?2", (signed(actor.number()), key))
    }

    fn put_out(&mut self, out: &OutPosted) -> Result<()> {
        let body = OutRecord::new(&out.out, out.attempts).encode_to_vec();
        let (id, actor) = (out.id.number(), out.actor.number());
        let sum = checksum("out", &[&id.to_be_bytes(), &actor.to_be_bytes(), &body]);
        let sql = "INSERT OR REPLACE INTO outbox (id, actor, body, sum) VALUES (?1, ?2, ?3, ?4)";
        self.write(sql, (signed(id), signed(actor), body, sum))
    }

    fn delete_out(&mut self, id: OutId) -> Result<()> {
        self.write("DELETE FROM outbox WHERE id = ?1", [signed(id.number())])
    }

    fn put_timer(&mut self, timer: &Timer) -> Result<()> {
        let (actor, due) = (timer.actor.number(), timer.due.millis());
        let sum = timer_checksum(actor, &timer.name, due, &timer.body);
        let sql = "INSERT OR REPLACE INTO timers (actor, name, due, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(sql, (signed(actor), &timer.name, signed(due), timer.body.as_ref(), sum))
    }

    fn delete_timer(&mut self, actor: ActorKey, name: &str) -> Result<()> {
        self.write("DELETE FROM timers WHERE actor = ?1 AND name = ?2", (signed(actor.number()), name))
    }

    fn put_letter(&mut self, letter: &Letter) -> Result<()> {
        let record = LetterRecord {
            actor: letter.actor.number(),
            at: letter.at.millis(),
            cause: letter.cause.clone(),
            attempts: letter.attempts,
            message: MessageRecord::from(&letter.message),
        };
        let body = record.encode_to_vec();
        let bytes = crate::core::letter_bytes(&letter.cause, &letter.message);
        let id = letter.id.number();
        let sum = checksum("letter", &[&id.to_be_bytes(), &bytes.to_be_bytes(), &body]);
        let sql = "INSERT INTO letters (id, bytes, body, sum) VALUES (?1, ?2, ?3, ?4)";
        self.write(sql, (signed(id), signed(bytes), body, sum))
    }

    fn delete_letter(&mut self, id: LetterId) -> Result<()> {
        self.write("DELETE FROM letters WHERE id = ?1", [signed(id.number())])
    }

    fn put_sealed_key(&mut self, key: &SealedKey) -> Result<()> {
        let actor = key.actor.number();
        let sum = checksum("key", &[&actor.to_be_bytes(), key.name.as_bytes(), &key.blob]);
        let sql = "INSERT OR REPLACE INTO sealed_keys (actor, name, blob, sum) VALUES (?1, ?2, ?3, ?4)";
        self.write(sql, (signed(actor), &key.name, key.blob.as_ref(), sum))
    }

    fn delete_sealed_key(&mut self, actor: ActorKey, name: &str) -> Result<()> {
        self.write("DELETE FROM sealed_keys WHERE actor = ?1 AND name = ?2", (signed(actor.number()), name))
    }

    fn put_note(&mut self, name: &str, value: &Bytes) -> Result<()> {
        let sum = checksum("note", &[name.as_bytes(), value]);
        self.write("INSERT OR REPLACE INTO notes (name, value, sum) VALUES (?1, ?2, ?3)", (name, value.as_ref(), sum))
    }

    fn delete_note(&mut self, name: &str) -> Result<()> {
        self.write("DELETE FROM notes WHERE name = ?1", [name])
    }
}
