use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::core::{Book, Flow, Ledger};
use crate::error::StoreError;

use super::fault;
use super::files::Mark;
use super::log::{self, FOLD_PAGES, Log, Patience};
use super::open::Opened;
use super::options::SqliteOptions;
use super::quarantine::Quarantine;
use super::queue::{Next, Queue};
use super::reads::SqliteRows;
use super::space::Space;
use super::task::Task;

const PAGE_BYTES: u64 = 4096;
/// Those who were just answered are waited for this part of the time that the disk takes. Where they come back, one wait for the disk
/// serves all of them instead of every other one; where they do not, little is lost.
const LINGER_PART: u32 = 4;
/// But not for less: on disks that take less than half a millisecond, processors are what is short, and a group costs them as much as ten writes.
const LINGER_MIN: Duration = Duration::from_micros(100);

struct Pace {
    /// As the options say.
    linger: Duration,
    /// How long the disk took for the last group.
    disk: Duration,
}

impl Pace {
    /// How long those who were just answered may be waited for.
    fn linger(&self) -> Duration {
        self.linger.min((self.disk / LINGER_PART).max(LINGER_MIN))
    }
}

/// The only one who writes. A group of writes is one transaction and one wait for the disk.
struct Writer {
    connection: Connection,
    file: Arc<str>,
    quarantine: Arc<Quarantine>,
    queue: Arc<Queue>,
    book: Book,
    mark: Mark,
    space: Space,
    pace: Pace,
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
    let pace = Pace { linger: options.linger, disk: Duration::ZERO };
    let (log, patience, failed) = (Log::default(), Patience::default(), None);
    let writer = Writer { connection, file, quarantine, queue, book, mark, space, pace, log, patience, failed, _lock };
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
            match self.queue.next(self.pace.linger()) {
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
        loop {
            match self.attempt(&mut group) {
                Ok(written) => return self.acknowledge(group, written),
                Err(_) if self.book.has_stumbled() => {}
                Err(error) => return self.recover(group, error),
            }
        }
    }

    /// Makes the changes of a group and waits for the disk. If this fails, nothing of it has happened. Answers whether anything has changed.
    fn attempt(&mut self, group: &mut [Box<dyn Task>]) -> Result<bool, StoreError> {
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

    fn transact(&mut self, group: &mut [Box<dyn Task>]) -> Result<bool, StoreError> {
        let fail = |error| fault::of_write(&error, &self.file);
        let begun = self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        match begun {
            Err(error) if fault::is_busy(&error) => {
                return Err(StoreError::Unreachable { cause: Arc::from("another program holds the database") });
            }
            begun => begun.map_err(fail)?,
        };
        let mut rows = SqliteRows::new(&self.connection, &self.file, &self.quarantine);
        let mut ledger = Ledger { rows: &mut rows, book: &mut self.book };
        for task in group {
            if self.space.is_full() && task.flow() == Flow::Inward {
                task.refuse(self.space.error());
                continue;
            }
            let before = ledger.writes();
            if let Err(error) = task.run(&mut ledger)
                && (ledger.writes() != before || self.connection.is_autocommit())
            {
                return Err(error);
            }
        }
        // A group that changed nothing, because all of it was refused or known, need not wait for the disk.
        let written = !ledger.is_clean();
        if written {
            ledger.finish()?;
        }
        let start = Instant::now();
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(fail)?;
        self.pace.disk = start.elapsed();
        Ok(written)
    }

    fn acknowledge(&mut self, group: Vec<Box<dyn Task>>, written: bool) {
        if written {
            self.mark.write(self.book.counters().group);
        }
        let (writes, full) = (group.len() as u64, self.space.is_full());
        let book = &self.book;
        self.queue.note(|stats| {
            stats.writes += writes;
            stats.groups += 1;
            stats.disk_full = full;
            book.describe(stats);
        });
        self.queue.expect(group.iter().filter(|task| !task.is_unhurried()).count());
        group.into_iter().for_each(Task::answer);
        if !written {
            return;
        }
        match log::look(&self.connection) {
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
            Ok(written) => self.acknowledge(group, written),
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
            true => log::restart(&self.connection),
            false => log::fold(&self.connection, "PASSIVE"),
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
