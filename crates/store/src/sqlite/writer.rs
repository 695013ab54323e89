use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::core::{Book, Flow, Ledger, Rows as _};
use crate::error::StoreError;
use crate::receipt::Done;

use super::fault;
use super::files::Mark;
use super::open::{Opened, SqliteOptions};
use super::queue::{Next, Queue};
use super::reads::SqliteRows;
use super::space::Space;
use super::task::Task;

/// Pages of the log after which it is folded into the database: 16 MiB, some tens of milliseconds of work.
const FOLD_PAGES: u64 = 4096;
/// Pages that a write touches beyond its bytes, for guessing how long the log is: a leaf of its table, of its actor's row, and of an
/// index.
const PAGES_PER_WRITE: u64 = 3;
const PAGE_BYTES: u64 = 4096;
/// Pages of the log that could not be folded because somebody reads, after which the writer waits for the readers: 256 MiB.
const LOG_PAGES_MAX: u64 = 16 * FOLD_PAGES;

/// The only one who writes. A group of writes is one transaction and one wait for the disk.
struct Writer {
    connection: Connection,
    file: Arc<str>,
    queue: Arc<Queue>,
    book: Book,
    mark: Mark,
    space: Space,
    linger: Duration,
    /// Pages that were written to the log since it was folded, as a guess from above.
    log_pages: u64,
    /// Why nothing is written any more.
    failed: Option<StoreError>,
    _lock: std::fs::File,
}

pub(super) fn start(opened: Opened, queue: Arc<Queue>, options: SqliteOptions) -> io::Result<JoinHandle<()>> {
    let Opened { connection, file, book, mark, space, _lock, .. } = opened;
    queue.note(|stats| book.describe(stats));
    let linger = options.linger;
    let writer = Writer { connection, file, queue, book, mark, space, linger, log_pages: 0, failed: None, _lock };
    std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run())
}

impl Writer {
    fn run(mut self) {
        loop {
            match self.queue.next(self.linger) {
                Next::Write(group) => self.write(group),
                Next::Close(done) => return self.close(done),
            }
        }
    }

    fn write(&mut self, mut group: Vec<Box<dyn Task>>) {
        if let Some(error) = &self.failed {
            let error = error.clone();
            return group.into_iter().for_each(|task| task.fail(error.clone()));
        }
        self.space.look();
        if let Err(error) = self.attempt(&mut group) {
            return self.recover(group, error);
        }
        self.acknowledge(group);
    }

    /// Makes the changes of a group and waits for the disk. If this fails, nothing of it has happened.
    fn attempt(&mut self, group: &mut [Box<dyn Task>]) -> Result<(), StoreError> {
        let result = self.transact(group);
        if result.is_err() {
            let mut rows = SqliteRows::new(&self.connection, &self.file);
            if !self.connection.is_autocommit() {
                let rolled_back = self.connection.execute_batch("ROLLBACK");
                rolled_back.map_err(|error| StoreError::Failed { cause: Arc::from(error.to_string()) })?;
            }
            Ledger { rows: &mut rows, book: &mut self.book }.roll_back()?;
        }
        result
    }

    fn transact(&mut self, group: &mut [Box<dyn Task>]) -> Result<(), StoreError> {
        let fail = |error| fault::of_write(&error, &self.file);
        self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).map_err(fail)?;
        let mut rows = SqliteRows::new(&self.connection, &self.file);
        for task in group {
            if self.space.is_full() && task.flow() == Flow::Inward {
                task.refuse(self.space.error());
                continue;
            }
            let before = rows.writes();
            let result = task.run(&mut Ledger { rows: &mut rows, book: &mut self.book });
            if let Err(error) = result
                && (rows.writes() != before || self.connection.is_autocommit())
            {
                return Err(error);
            }
        }
        Ledger { rows: &mut rows, book: &mut self.book }.finish()?;
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(fail)?;
        Ok(())
    }

    fn acknowledge(&mut self, group: Vec<Box<dyn Task>>) {
        self.mark.write(self.book.counters().group);
        let (writes, full) = (group.len() as u64, self.space.is_full());
        let bytes: u64 = group.iter().map(|task| task.bytes()).sum();
        let book = &self.book;
        self.queue.note(|stats| {
            stats.writes += writes;
            stats.groups += 1;
            stats.disk_full = full;
            book.describe(stats);
        });
        group.into_iter().for_each(Task::answer);
        self.log_pages += writes * PAGES_PER_WRITE + bytes / PAGE_BYTES;
        if self.log_pages >= FOLD_PAGES {
            self.fold_log();
        }
    }

    /// A group failed as a whole. Whose fault it is decides what becomes of its writes.
    fn recover(&mut self, mut group: Vec<Box<dyn Task>>, error: StoreError) {
        match error {
            StoreError::DiskFull { .. } => self.make_room(group),
            // Somebody's rows are damaged: whose, shows when each is written alone.
            StoreError::Corrupt(_) if group.len() > 1 => {
                for task in group {
                    self.write(vec![task]);
                }
            }
            StoreError::Corrupt(_) => group.drain(..).for_each(|task| task.fail(error.clone())),
            other => self.fail(group, &other),
        }
    }

    /// The disk is full. What only brings in something new is refused; the rest gets the reserve.
    fn make_room(&mut self, mut group: Vec<Box<dyn Task>>) {
        self.space.ran_out();
        self.fold_log();
        if self.failed.is_some() {
            return self.write(group);
        }
        match self.attempt(&mut group) {
            Ok(()) => self.acknowledge(group),
            Err(StoreError::DiskFull { .. }) => {
                let error = self.space.error();
                self.queue.note(|stats| stats.disk_full = true);
                group.into_iter().for_each(|task| task.fail(error.clone()));
            }
            Err(other) => self.recover(group, other),
        }
    }

    /// Nothing is written any more: what the disk has done with this group, nobody knows.
    fn fail(&mut self, group: Vec<Box<dyn Task>>, error: &StoreError) {
        let error = match error {
            StoreError::Failed { .. } => error.clone(),
            other => StoreError::Failed { cause: Arc::from(other.to_string()) },
        };
        tracing::error!(store = %self.file, %error, "the store takes no more writes");
        self.failed = Some(error.clone());
        group.into_iter().for_each(|task| task.fail(error.clone()));
    }

    /// Copies the log into the database, so that it starts from its beginning again.
    fn fold_log(&mut self) {
        let mode = if self.log_pages >= LOG_PAGES_MAX { "RESTART" } else { "PASSIVE" };
        match fold(&self.connection, mode) {
            Ok(folded) if folded.complete => self.log_pages = 0,
            Ok(folded) => self.log_pages = self.log_pages.max(folded.log_pages),
            Err(error) if fault::is_full(&error) => self.space.ran_out(),
            Err(error) => {
                let error = fault::of_write(&error, &self.file);
                self.fail(Vec::new(), &error);
            }
        }
    }

    fn close(mut self, done: Done<()>) {
        if self.failed.is_none() {
            self.fold_log();
        }
        let result = self.failed.take().map_or(Ok(()), Err);
        let Self { connection, _lock, .. } = self;
        // Closing folds the log once more and removes it; if that fails, the log stays for the next time.
        drop(connection.close());
        drop(_lock);
        done.answer(result);
    }
}

/// What came of folding the log.
pub(super) struct Folded {
    complete: bool,
    log_pages: u64,
}

pub(super) fn fold(connection: &Connection, mode: &str) -> rusqlite::Result<Folded> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (busy, log, folded): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Folded { complete: busy == 0 && log == folded, log_pages: u64::try_from(log).unwrap_or(0) })
    })
}
