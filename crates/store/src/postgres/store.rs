use std::path::Path;

use bytes::Bytes;
use tokio_postgres::Row;

use crate::contract::{KeyRange, Report, Stats, Store};
use crate::core::{DropLetter, ExpireReplies, OutboxDone, OutboxFailed, Release, Renew, Reseal, RetryLetter, SetNote};
use crate::error::StoreError;
use crate::limits::BATCH_ITEMS_MAX;
use crate::model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Durability, Enqueue, Epoch, Identity, Lease,
    Letter, LetterId, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued, Recorded, RequestKey, SealedKey,
    Time, Timer, Versioned,
};
use crate::receipt::{Done, Receipt};

use super::group::lane;
use super::readers::Param;
use super::reads::{self, bytes, count, int};
use super::rows::{Line, all, one, sound};
use super::{PostgresStore, check};

impl PostgresStore {
    fn read_all<T: Send + 'static>(
        &self,
        table: &'static str,
        sql: &'static str,
        params: Vec<Param>,
        decode: fn(&Line<'_>) -> Result<T, StoreError>,
    ) -> Receipt<Vec<T>> {
        self.0.readers.read(sql, params, move |server, rows| all(server, table, &rows, decode))
    }

    /// Those of many actors.
    fn read_sound<T: Send + 'static>(
        &self,
        table: &'static str,
        sql: &'static str,
        params: Vec<Param>,
        decode: fn(&Line<'_>) -> Result<T, StoreError>,
    ) -> Receipt<Vec<T>> {
        self.0.readers.read(sql, params, move |server, rows| sound(server, table, &rows, decode))
    }

    fn read_one<T: Send + 'static>(
        &self,
        table: &'static str,
        sql: &'static str,
        params: Vec<Param>,
        decode: fn(&Line<'_>) -> Result<T, StoreError>,
    ) -> Receipt<Option<T>> {
        self.0.readers.read(sql, params, move |server, rows| one(server, table, &rows, decode))
    }
}

impl Store for PostgresStore {
    fn strongest(&self) -> Durability {
        self.0.common.strongest()
    }

    fn open_actor(&self, open: OpenActor) -> Receipt<Lease> {
        self.submit(open)
    }

    fn renew(&self, actor: ActorKey, epoch: Epoch, until: Time) -> Receipt<()> {
        self.submit(Renew { actor, epoch, until })
    }

    fn release(&self, actor: ActorKey, epoch: Epoch) -> Receipt<()> {
        self.submit(Release { actor, epoch })
    }

    fn find_actor(&self, identity: &Identity) -> Receipt<Option<ActorInfo>> {
        self.read_one("actors", reads::ACTOR_NAMED, reads::identity(identity), |line| line.info())
    }

    fn actor(&self, actor: ActorKey) -> Receipt<Option<ActorInfo>> {
        self.read_one("actors", reads::ACTOR, vec![int(actor.number())], |line| line.info())
    }

    fn actors(&self, after: ActorKey, items: usize) -> Receipt<Vec<ActorInfo>> {
        let params = vec![int(after.number()), count(items.min(BATCH_ITEMS_MAX))];
        self.read_all("actors", reads::ACTORS, params, |line| line.info())
    }

    fn enqueue(&self, enqueue: Enqueue) -> Receipt<Accepted> {
        self.submit(enqueue)
    }

    fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Receipt<Vec<Queued>> {
        let mut params = vec![int(actor.number()), Box::new(lane(after.priority)) as Param, int(after.seq)];
        params.extend(reads::limits(limits));
        self.read_all("mailbox", reads::QUEUED, params, |line| line.queued())
    }

    fn changed(&self) -> Option<Receipt<Vec<ActorKey>>> {
        let common = &self.0.common;
        let receipt = common.arrivals.ask();
        if common.queue.is_closed() {
            common.arrivals.close();
            return None;
        }
        Some(receipt)
    }

    fn recorded(&self, actor: ActorKey, request: &RequestKey) -> Receipt<Option<Recorded>> {
        let params = vec![int(actor.number()), bytes(request.caller.as_bytes()), bytes(request.request.as_bytes())];
        self.read_one("requests", reads::RECORDED, params, |line| line.recorded())
    }

    fn expire_replies(&self, now: Time) -> Receipt<u64> {
        self.submit(ExpireReplies(now))
    }

    fn commit(&self, commit: Commit, done: Done<Committed>) {
        self.submit_to(commit, done);
    }

    fn state(&self, actor: ActorKey, key: &[u8]) -> Receipt<Option<Versioned>> {
        let decode = |line: &Line<'_>| line.state().map(|(_, found)| found);
        self.read_one("state", reads::STATE, vec![int(actor.number()), bytes(key)], decode)
    }

    fn scan(&self, actor: ActorKey, range: KeyRange, limits: BatchLimits) -> Receipt<Vec<(Bytes, Versioned)>> {
        let mut params = vec![int(actor.number())];
        params.extend(reads::bounds(&range));
        params.extend(reads::limits(limits));
        self.read_all("state", reads::SCAN, params, |line| line.state())
    }

    fn outbox(&self, after: OutId, limits: BatchLimits) -> Receipt<Vec<OutPosted>> {
        let mut params = vec![int(after.number())];
        params.extend(reads::limits(limits));
        self.read_sound("outbox", reads::OUTBOX, params, |line| line.posted())
    }

    fn outbox_done(&self, ids: Vec<OutId>) -> Receipt<()> {
        self.submit(OutboxDone(ids))
    }

    fn outbox_failed(&self, id: OutId, not_before: Time) -> Receipt<()> {
        self.submit(OutboxFailed { id, not_before })
    }

    fn timers_due(&self, now: Time, items: usize) -> Receipt<Vec<Timer>> {
        let params = vec![int(now.millis()), count(items.min(BATCH_ITEMS_MAX))];
        self.read_sound("timers", reads::TIMERS_DUE, params, |line| line.timer())
    }

    fn next_due(&self) -> Receipt<Option<Time>> {
        self.read_one("timers", reads::NEXT_DUE, Vec::new(), |line| line.due())
    }

    fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Receipt<Vec<Timer>> {
        let params = vec![int(actor.number()), bytes(after.as_bytes()), count(items.min(BATCH_ITEMS_MAX))];
        self.read_all("timers", reads::TIMERS, params, |line| line.timer())
    }

    fn bury(&self, bury: Bury) -> Receipt<Option<LetterId>> {
        self.submit(bury)
    }

    fn letters(&self, after: LetterId, limits: BatchLimits) -> Receipt<Vec<Letter>> {
        let mut params = vec![int(after.number())];
        params.extend(reads::limits(limits));
        self.read_all("letters", reads::LETTERS, params, |line| line.letter())
    }

    fn letter(&self, id: LetterId) -> Receipt<Option<Letter>> {
        self.read_one("letters", reads::LETTER, vec![int(id.number())], |line| line.letter())
    }

    fn retry_letter(&self, id: LetterId, now: Time, limits: QueueLimits) -> Receipt<Position> {
        self.submit(RetryLetter { id, now, limits })
    }

    fn drop_letter(&self, id: LetterId) -> Receipt<bool> {
        self.submit(DropLetter(id))
    }

    fn sealed_key(&self, actor: ActorKey, name: &str) -> Receipt<Option<Bytes>> {
        let decode = |line: &Line<'_>| line.sealed_key().map(|key| key.blob);
        self.read_one("sealed_keys", reads::SEALED_KEY, vec![int(actor.number()), bytes(name.as_bytes())], decode)
    }

    fn sealed_keys(&self, after: (ActorKey, String), limits: BatchLimits) -> Receipt<Vec<SealedKey>> {
        let mut params = vec![int(after.0.number()), bytes(after.1.as_bytes())];
        params.extend(reads::limits(limits));
        self.read_sound("sealed_keys", reads::SEALED_KEYS, params, |line| line.sealed_key())
    }

    fn reseal(&self, key: SealedKey, old: Bytes) -> Receipt<bool> {
        self.submit(Reseal { key, old })
    }

    fn note(&self, name: &str) -> Receipt<Option<Bytes>> {
        self.read_one("notes", reads::NOTE, vec![bytes(name.as_bytes())], |line| line.note())
    }

    fn set_note(&self, name: &str, expect: Option<Bytes>, value: Option<Bytes>) -> Receipt<()> {
        self.submit(SetNote { name: name.to_owned(), expect, value })
    }

    fn hasten(&self) {
        self.0.common.queue.hasten();
    }

    /// Not offered: `pg_dump` of the schema, or `pg_basebackup` of the server, do it better.
    fn backup(&self, _to: &Path) -> Receipt<()> {
        Receipt::ready(Err(StoreError::Unsupported { what: "a backup to a file (use pg_dump or pg_basebackup)" }))
    }

    fn check(&self) -> Receipt<Report> {
        if self.0.common.queue.is_closed() {
            return Receipt::ready(Err(StoreError::Closed));
        }
        let (done, receipt) = Receipt::pending();
        let common = std::sync::Arc::clone(&self.0.common);
        self.0.common.runtime.spawn(async move { done.answer(check::check(&common).await) });
        receipt
    }

    fn stats(&self) -> Receipt<Stats> {
        let stats = self.0.common.counted();
        self.0.readers.read(reads::STATS, Vec::new(), move |server, rows| {
            let line = |row: &Row| Line { server, table: "writers", row }.stats(stats);
            rows.first().map_or(Ok(stats), line)
        })
    }

    fn close(&self) -> Receipt<()> {
        let (done, receipt) = Receipt::pending();
        self.0.common.queue.close(done);
        self.0.common.arrivals.close();
        receipt
    }
}
