use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::receipt::Receipt;

use super::fault;
use super::quarantine::Quarantine;
use super::reads::SqliteRows;

/// Idle connections that are kept, each with a page cache of [`CACHE_KIB`]. More threads than this read at once only in bursts, and
/// opening one takes some 200 µs.
const IDLE_MAX: usize = 8;
/// Pages that one reader keeps.
const CACHE_KIB: i64 = 8 << 10;
/// Statements that one connection keeps prepared: all that there are.
pub(super) const STATEMENTS_MAX: usize = 96;
/// How long a reader waits for a lock. In WAL mode readers wait for nobody, but for a moment when the log is reset.
const BUSY: Duration = Duration::from_secs(5);

/// Connections that read beside the writer, taken by whoever reads.
pub(super) struct Readers {
    path: PathBuf,
    file: Arc<str>,
    quarantine: Arc<Quarantine>,
    idle: Mutex<Vec<Connection>>,
    closed: AtomicBool,
}

impl Readers {
    pub(super) fn new(path: PathBuf, file: Arc<str>, quarantine: Arc<Quarantine>) -> Self {
        Self { path, file, quarantine, idle: Mutex::new(Vec::new()), closed: AtomicBool::new(false) }
    }

    /// The path of the database for people.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Reads on this thread.
    pub(super) fn with<T>(&self, read: impl FnOnce(&SqliteRows<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with_connection(|connection| read(&SqliteRows::new(connection, &self.file, &self.quarantine)))
    }

    pub(super) fn with_connection<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let taken = self.idle.lock().pop();
        let connection = match taken {
            Some(connection) => connection,
            None => self.connect().map_err(|error| fault::of_read(&error, &self.file))?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX && !self.closed.load(Ordering::Acquire) {
            idle.push(connection);
        }
        result
    }

    /// Reads on a thread of its own: what takes long.
    pub(super) fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Receipt<T> {
        let (done, receipt) = Receipt::pending();
        let readers = Arc::clone(self);
        let thread = std::thread::Builder::new().name("store-aside".to_owned());
        // If there is no thread to be had, the promise is dropped and says so.
        drop(thread.spawn(move || done.answer(read(&readers))));
        receipt
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.idle.lock().clear();
    }

    /// The database is opened for writing, because a reader of a log has to write to the index of the log; `query_only` keeps it from more.
    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        Ok(connection)
    }
}
