//! The store without a disk: the same contract and the same answers, and nothing survives the value.

mod tables;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::contract::{KeyRange, Report, Retention, Stats, Store, require};
use crate::core::{
    Book, Change, DropLetter, ExpireReplies, Ledger, OutboxDone, OutboxFailed, Reads, Release, Renew, Reseal,
    RetryLetter, SetNote,
};
use crate::error::StoreError;
use crate::model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Durability, Enqueue, Epoch, Identity, Lease,
    Letter, LetterId, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued, Recorded, RequestKey, SealedKey,
    Time, Timer, Versioned,
};
use crate::receipt::{Done, Receipt};

use self::tables::Tables;

/// A store in memory. Everything is acknowledged at once, and gone with the value; it promises
/// [`Durability::Memory`] and refuses more.
#[derive(Debug, Clone)]
pub struct MemoryStore(Arc<Mutex<Contents>>);

#[derive(Debug)]
struct Contents {
    tables: Tables,
    book: Book,
    stats: Stats,
    closed: bool,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        let tables = Tables::default();
        let book = Book::new(tables.counters, retention);
        Self(Arc::new(Mutex::new(Contents { tables, book, stats: Stats::default(), closed: false })))
    }

    fn write<C: Change>(&self, change: &C) -> Result<C::Answer, StoreError> {
        require(change.durability(), Durability::Memory)?;
        let mut contents = self.0.lock();
        let Contents { tables, book, stats, closed } = &mut *contents;
        if *closed {
            return Err(StoreError::Closed);
        }
        let mut ledger = Ledger { rows: tables, book };
        ledger.see(change.now());
        let answer = change.make(&mut ledger)?;
        ledger.finish()?;
        stats.writes += 1;
        stats.groups += 1;
        Ok(answer)
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> Result<T, StoreError>) -> Receipt<T> {
        let contents = self.0.lock();
        if contents.closed {
            return Receipt::ready(Err(StoreError::Closed));
        }
        Receipt::ready(read(&contents.tables))
    }
}

crate::local::local_store!(MemoryStore);

impl MemoryStore {
    fn submit<C: Change>(&self, change: C) -> Receipt<C::Answer> {
        Receipt::ready(self.write(&change))
    }

    fn submit_to<C: Change>(&self, change: C, done: Done<C::Answer>) {
        done.answer(self.write(&change));
    }

    fn strongest_class(&self) -> Durability {
        Durability::Memory
    }

    /// Nothing ever waits.
    fn hurry(&self) {}

    fn back_up(&self, _to: &Path) -> Receipt<()> {
        Receipt::ready(Err(StoreError::Unsupported { what: "a backup of memory" }))
    }

    fn look_over(&self) -> Receipt<Report> {
        self.read(|tables| Ok(Report { records: tables.records(), ..Report::default() }))
    }

    fn count(&self) -> Receipt<Stats> {
        let contents = self.0.lock();
        let mut stats = contents.stats;
        contents.book.describe(&mut stats);
        Receipt::ready(Ok(stats))
    }

    fn shut(&self) -> Receipt<()> {
        self.0.lock().closed = true;
        Receipt::ready(Ok(()))
    }
}
