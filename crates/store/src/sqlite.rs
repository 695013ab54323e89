//! The store on one SQLite database: one writer thread that commits in groups, and readers beside it.
//!
//! The database runs in WAL mode with `synchronous=FULL`, so a commit that SQLite reports is on the disk. Nothing else is
//! acknowledged. What SQLite cannot notice is looked for here: every record carries a checksum, and the file `mark` says
//! how many groups were acknowledged, so that a damaged log cannot pass for a shorter one.

mod check;
mod decode;
mod fault;
mod files;
mod log;
mod open;
mod options;
mod quarantine;
mod queue;
mod readers;
mod reads;
mod refusal;
mod repair;
mod schema;
mod space;
mod task;
mod writer;
mod writes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::contract::{KeyRange, Report, Stats, Store, require};
use crate::core::{
    Change, DropLetter, ExpireReplies, OutboxDone, OutboxFailed, Reads as _, Release, Renew, Reseal, RetryLetter,
    SetNote,
};
use crate::error::StoreError;
use crate::model::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Durability, Enqueue, Epoch, Identity, Lease,
    Letter, LetterId, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued, Recorded, RequestKey, SealedKey,
    Time, Timer, Versioned,
};
use crate::receipt::{Done, Receipt};

pub use self::files::RUNNING_FILE;
pub use self::options::{DangerSync, SqliteOptions};
pub use self::refusal::OpenError;

use self::queue::Queue;
use self::readers::Readers;
use self::reads::SqliteRows;
use self::task::Job;

/// A store in a folder: a database, its log, and three small files beside it. Only one process at a time can have it open.
///
/// Cheap to clone; the last clone that goes closes the store, which waits for what was submitted to be written. Reads happen on the
/// caller's thread: one value takes some 10 µs, a batch as long as its limits say.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    writer: Mutex<Option<JoinHandle<()>>>,
    folder: PathBuf,
}

impl SqliteStore {
    /// Opens the store in `folder`, or makes it. Blocks while the disk works: up to a second or two after a crash with a full log.
    ///
    /// # Errors
    /// If the folder is not for a store, if another process has it open, if it is damaged or from a newer version, or if the disk fails.
    pub fn open(folder: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        // Absolute, because to SQLite a name that begins with `file:` is no path.
        let folder =
            std::path::absolute(folder).map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
        let opened = open::open(&folder, &options)?;
        let queue = Arc::new(Queue::default());
        let readers = Arc::new(Readers::new(opened.path.clone(), opened.file.clone(), Arc::clone(&opened.quarantine)));
        let writer = writer::start(opened, Arc::clone(&queue), options).map_err(OpenError::Thread)?;
        let writer = Mutex::new(Some(writer));
        Ok(Self(Arc::new(Shared { queue, readers, writer, folder })))
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    fn submit<C: Change>(&self, change: C) -> Receipt<C::Answer> {
        let (done, receipt) = Receipt::pending();
        self.submit_to(change, done);
        receipt
    }

    fn submit_to<C: Change>(&self, change: C, done: Done<C::Answer>) {
        match require(change.durability(), Durability::Fsync) {
            Ok(()) => self.0.queue.push(Box::new(Job::new(change, done))),
            Err(error) => done.answer(Err(error)),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&SqliteRows<'_>) -> Result<T, StoreError>) -> Receipt<T> {
        Receipt::ready(self.0.readers.with(read))
    }

    fn strongest_class(&self) -> Durability {
        Durability::Fsync
    }

    fn hurry(&self) {
        self.0.queue.hasten();
    }

    fn back_up(&self, to: &Path) -> Receipt<()> {
        let to = to.to_owned();
        self.0.readers.aside(move |readers| readers.with_connection(|connection| files::back_up(connection, &to)))
    }

    fn look_over(&self) -> Receipt<Report> {
        self.0.readers.aside(|readers| readers.with_connection(|connection| check::check(connection, readers.file())))
    }

    fn count(&self) -> Receipt<Stats> {
        let mut stats = self.0.queue.stats();
        stats.disk_bytes = files::disk_bytes(&self.0.folder);
        Receipt::ready(Ok(stats))
    }

    fn shut(&self) -> Receipt<()> {
        let (done, receipt) = Receipt::pending();
        self.0.readers.close();
        self.0.queue.close(done);
        receipt
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.readers.close();
        self.queue.close(Done::call(|_| ()));
        // The last clone may go with an answer, on the writer's own thread: it ends by itself then.
        if let Some(writer) = self.writer.lock().take()
            && writer.thread().id() != std::thread::current().id()
        {
            drop(writer.join());
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteStore({})", self.0.folder.display())
    }
}

crate::local::local_store!(SqliteStore);
