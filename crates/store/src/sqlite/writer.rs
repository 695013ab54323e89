use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::core::{Book, Flow, Ledger, Rows as _};
use crate::error::StoreError;

use super::fault;
use super::files::Mark;
use super::open::{BUSY, Opened};
use super::options::SqliteOptions;
use super::quarantine::Quarantine;
use super::queue::{Next, Queue};
use super::reads::SqliteRows;
use super::space::Space;
use super::task::Task;

/// Pages of the log after which it is folded into the database: 16 MiB, some tens of milliseconds of work.
const FOLD_PAGES: u64 = 4096;
const PAGE_BYTES: u64 = 4096;
/// Pages of the log that could not be folded because somebody reads, after which the writer waits for the readers: 256 MiB.
const LOG_PAGES_MAX: u64 = 16 * FOLD_PAGES;

/// How long readers are waited for then: those of single values are gone in microseconds.
const READERS_WAITED_FOR: Duration = Duration::from_millis(100);

/// The only one who writes. A group of writes is one transaction and one wait for the disk.
struct Writer {
    connection: Connection,
    file: Arc<str>,
    quarantine: Arc<Quarantine>,
    queue: Arc<Queue>,
    book: Book,
    mark: Mark,
    space: Space,
    linger: Duration,
    /// How long the log is.
    log: Log,
    patience: Patience,
    /// Why nothing is written any more.
    failed: Option<StoreError>,
    _lock: std::fs::File,
}

pub(super) fn start(opened: Opened, queue: Arc<Queue>, options: SqliteOptions) -> io::Result<JoinHandle<()>> {
    let Opened { connection, file, quarantine, book, mark, space, _lock, .. } = opened;
    queue.note(|stats| book.describe(stats));
    let linger = options.linger;
    let (log, patience, failed) = (Log::default(), Patience::default(), None);
    let writer =
        Writer { connection, file, quarantine, queue, book, mark, space, linger, log, patience, failed, _lock };
    std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
        let _whatever_happens = Abandon(Arc::clone(&writer.queue));
        writer.run();
    })
}

/// Answers whoever waits when the writer ends, also by a panic: nobody waits for a thread that is gone.
struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    fn run(mut self) {
        loop {
            match self.queue.next(self.linger) {
                Next::Write(group) => self.write(group),
                Next::Close => return self.close(),
            }
        }
    }

    fn write(&mut self, mut group: Vec<Box<dyn Task>>) {
        if let Some(error) = &self.failed {
            let error = error.clone();
            return group.into_iter().for_each(|task| task.fail(error.clone()));
        }
        if self.space.look() && self.log.unfolded > 0 {
            // On a full disk what is in the log is a debt to the database: it may need room there.
            self.fold_log();
        }
        while let Err(error) = self.attempt(&mut group) {
            if !self.book.has_stumbled() {
                return self.recover(group, error);
            }
        }
        self.acknowledge(group);
    }

    /// Makes the changes of a group and waits for the disk. If this fails, nothing of it has happened.
    fn attempt(&mut self, group: &mut [Box<dyn Task>]) -> Result<(), StoreError> {
        let result = self.transact(group);
        if result.is_err() {
            let mut rows = SqliteRows::new(&self.connection, &self.file, &self.quarantine);
            if !self.connection.is_autocommit() {
                let rolled_back = self.connection.execute_batch("ROLLBACK");
                rolled_back.map_err(|error| StoreError::Failed { cause: Arc::from(error.to_string()) })?;
            }
            // With what is at hand as it was in the group, everything after would be built on what never was.
            let forgotten = Ledger { rows: &mut rows, book: &mut self.book }.roll_back();
            forgotten.map_err(|error| StoreError::Failed { cause: Arc::from(error.to_string()) })?;
        }
        result
    }

    fn transact(&mut self, group: &mut [Box<dyn Task>]) -> Result<(), StoreError> {
        let fail = |error| fault::of_write(&error, &self.file);
        let begun = self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        match begun {
            Err(error) if fault::is_busy(&error) => {
                return Err(StoreError::Unreachable { cause: Arc::from("another program holds the database") });
            }
            begun => begun.map_err(fail)?,
        };
        let mut rows = SqliteRows::new(&self.connection, &self.file, &self.quarantine);
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
        let mut ledger = Ledger { rows: &mut rows, book: &mut self.book };
        // A group that changed nothing, because all of it was refused or known, need not wait for the disk.
        if !ledger.is_clean() {
            ledger.finish()?;
        }
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(fail)?;
        Ok(())
    }

    fn acknowledge(&mut self, group: Vec<Box<dyn Task>>) {
        self.mark.write(self.book.counters().group);
        let (writes, full) = (group.len() as u64, self.space.is_full());
        let book = &self.book;
        self.queue.note(|stats| {
            stats.writes += writes;
            stats.groups += 1;
            stats.disk_full = full;
            book.describe(stats);
        });
        group.into_iter().for_each(Task::answer);
        match look_at_log(&self.connection) {
            Ok(log) => self.log = log,
            // Whatever it is, folding finds it, too, and says what it means.
            Err(_) => return self.fold_log(),
        }
        // Never more than half of the ballast can give room to.
        if self.log.unfolded >= FOLD_PAGES.min(self.space.ballast_bytes() / 2 / PAGE_BYTES) {
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
            // So is what another program keeps from being written: nothing of it was begun.
            StoreError::Corrupt(_) | StoreError::Unreachable { .. } => {
                group.drain(..).for_each(|task| task.fail(error.clone()));
            }
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
        let folded = match self.patience.is_over(self.log.pages) {
            true => restart(&self.connection),
            false => fold(&self.connection, "PASSIVE"),
        };
        match folded {
            Ok(log) => {
                self.log = log;
                self.patience.folded(log.pages);
                if log.unfolded == 0 {
                    self.mark.write_folded(self.book.counters().group);
                }
            }
            Err(error) if fault::is_full(&error) => self.space.ran_out(),
            Err(error) => {
                let error = fault::of_write(&error, &self.file);
                self.fail(Vec::new(), &error);
            }
        }
    }

    fn close(mut self) {
        if self.failed.is_none() {
            self.fold_log();
        }
        let result = self.failed.take().map_or(Ok(()), Err);
        let Self { connection, queue, _lock, .. } = self;
        // Closing folds the log once more and removes it; if that fails, the log stays for the next time.
        drop(connection.close());
        drop(_lock);
        queue.end(&result);
    }
}

/// How long the log of a database may grow before its readers are waited for. They read on for as long as they like, a backup for minutes, and
/// whoever writes waits meanwhile: so they are asked once for every so many pages.
#[derive(Debug)]
struct Patience {
    pages: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pages: LOG_PAGES_MAX }
    }
}

impl Patience {
    fn is_over(&self, pages: u64) -> bool {
        pages >= self.pages
    }

    /// The log was folded as far as readers let it, and has so many pages now.
    fn folded(&mut self, pages: u64) {
        if self.is_over(pages) {
            self.pages = pages + LOG_PAGES_MAX;
        } else if pages < LOG_PAGES_MAX {
            self.pages = LOG_PAGES_MAX;
        }
    }
}

/// Copies the log into the database, and waits a little for its readers, so that it can begin anew.
fn restart(connection: &Connection) -> rusqlite::Result<Log> {
    connection.busy_timeout(READERS_WAITED_FOR)?;
    let folded = fold(connection, "RESTART");
    connection.busy_timeout(BUSY)?;
    folded
}

/// How long the log is, and how much of it is not in the database yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Log {
    pages: u64,
    unfolded: u64,
}

/// Copies what nobody reads any more of the log into the database.
pub(super) fn fold(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], log_of)
}

fn look_at_log(connection: &Connection) -> rusqlite::Result<Log> {
    connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], log_of)
}

fn log_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Log> {
    let (pages, folded): (i64, i64) = (row.get(1)?, row.get(2)?);
    let pages = u64::try_from(pages).unwrap_or(0);
    Ok(Log { pages, unfolded: pages.saturating_sub(u64::try_from(folded).unwrap_or(0)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a reader at the log, each group waited for it, and so did whoever wrote.
    #[test]
    fn readers_are_waited_for_once() {
        let mut patience = Patience::default();
        let mut asked = Vec::new();
        // A reader keeps the log from beginning anew; then it goes.
        for pages in (0..=5 * LOG_PAGES_MAX / 2).step_by(1024).chain([1024, LOG_PAGES_MAX]) {
            if patience.is_over(pages) {
                asked.push(pages);
            }
            patience.folded(pages);
        }
        assert_eq!(asked, [LOG_PAGES_MAX, 2 * LOG_PAGES_MAX, LOG_PAGES_MAX]);
    }
}
