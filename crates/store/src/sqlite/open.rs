use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use playhouse_types::Code;
use rusqlite::{Connection, OpenFlags};

use crate::contract::Retention;
use crate::core::{Book, Reads as _};
use crate::error::{Damage, StoreError};

use super::files::{self, Mark, Unlockable};
use super::quarantine::{Finding, Quarantine};
use super::readers::STATEMENTS_MAX;
use super::reads::SqliteRows;
use super::schema;
use super::space::Space;
use super::{check, fault, repair};

/// Databases up to this size are looked over before they are used: about a second. Larger ones when somebody asks for it.
const CHECKED_BYTES_MAX: u64 = 256 << 20;
/// Pages that the writer keeps.
const CACHE_KIB: i64 = 32 << 10;
/// Nobody else writes, so a lock is a reader's for the moment in which the log is reset.
const BUSY: Duration = Duration::from_secs(5);

/// How a store on SQLite behaves.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// What is kept of replies and dead letters.
    pub retention: Retention,
    /// Bytes of the disk that are kept free for finishing what is queued: with less, new messages are refused.
    pub reserve_bytes: u64,
    /// How long a group waits for those who were in the last one, if there were several. A lone writer never waits.
    pub linger: Duration,
    /// What is waited for before a write is acknowledged. Anything but [`DangerSync::Full`] loses acknowledged writes when the power fails.
    pub danger_sync: DangerSync,
    /// Drop every damaged record when the store is opened, and count anew what actors keep: for a store without a backup. What else
    /// an actor keeps it keeps; what a damaged actor's own row stood for goes with it.
    pub danger_drop_damaged: bool,
    /// Open a store also if it lost what it had acknowledged, such as an old copy in the place of a newer one.
    pub danger_accept_loss: bool,
}

impl Default for SqliteOptions {
    /// 64 MiB of reserve: the log, and as much again. A linger of 100 µs, a tenth of what a wait for the disk takes.
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            reserve_bytes: 64 << 20,
            linger: Duration::from_micros(100),
            danger_sync: DangerSync::Full,
            danger_drop_damaged: false,
            danger_accept_loss: false,
        }
    }
}

/// What is waited for before a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DangerSync {
    /// The disk.
    Full,
    /// The disk now and then: for showing that the tests notice.
    Normal,
    /// Nothing: for showing that the tests notice.
    Off,
}

impl DangerSync {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// Why a store cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it cannot be used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the store open, or this one has.
    #[error("{} is open in process {}", path.display(), Pid(*pid))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Which process, if it said so.
        pid: Option<u32>,
    },
    /// The file is a database, or none at all, but not one of ours.
    #[error("{} is not a store of Playhouse", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote the store.
    #[error("the store has schema {found}, this version knows up to {known}")]
    Newer {
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The store is damaged. Restore a backup.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// Groups that were acknowledged are not there: the log was damaged, or an older copy was put in the place of the store.
    #[error("{} groups were acknowledged, the store has {found}: it was damaged, or is an older copy", acknowledged)]
    AcknowledgedMissing {
        /// How many were acknowledged at least.
        acknowledged: u64,
        /// How many there are.
        found: u64,
    },
    /// The disk failed.
    #[error("{cause}")]
    Disk {
        /// What it said.
        cause: Arc<str>,
    },
    /// There is no thread to be had for the writer.
    #[error("no thread for the writer: {0}")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Folder { .. } | Self::Disk { .. } | Self::Thread(_) => Code::StoreFailed,
            Self::Locked { .. } => Code::StoreLocked,
            Self::NotAStore { .. } | Self::Newer { .. } => Code::StoreSchema,
            Self::Damaged(_) | Self::AcknowledgedMissing { .. } => Code::StoreCorrupt,
        }
    }
}

struct Pid(Option<u32>);

impl std::fmt::Display for Pid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(pid) => pid.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

/// A store that is open, before its writer runs.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The path for people.
    pub(super) file: Arc<str>,
    pub(super) quarantine: Arc<Quarantine>,
    pub(super) book: Book,
    pub(super) mark: Mark,
    pub(super) space: Space,
    /// Held while the store is open.
    pub(super) _lock: File,
}

pub(super) fn open(folder: &Path, options: &SqliteOptions) -> Result<Opened, OpenError> {
    let io = |source| OpenError::Folder { path: folder.to_owned(), source };
    files::make_folder(folder).map_err(io)?;
    let lock = files::lock(folder).map_err(|error| match error {
        Unlockable::Held { pid } => OpenError::Locked { path: folder.to_owned(), pid },
        Unlockable::Io(source) => io(source),
    })?;
    let path = files::make_database(folder).map_err(io)?;
    let file: Arc<str> = path.display().to_string().into();
    let connection = connect(&path, &file, options.danger_sync)?;
    if options.danger_drop_damaged {
        repair::repair(&connection, &file).map_err(of_store)?;
    }
    let quarantine = Arc::new(look_over(&connection, &path, &file)?);
    let mark = Mark::open(folder).map_err(io)?;
    let counters = SqliteRows::new(&connection, &file, &quarantine).counters().map_err(of_store)?;
    if let Some(acknowledged) = mark.read()
        && acknowledged > counters.group
        && !options.danger_accept_loss
    {
        return Err(OpenError::AcknowledgedMissing { acknowledged, found: counters.group });
    }
    mark.write(counters.group);
    let space = Space::open(folder, options.reserve_bytes).map_err(io)?;
    let book = Book::new(counters, options.retention);
    Ok(Opened { connection, path, file, quarantine, book, mark, space, _lock: lock })
}

fn connect(path: &Path, file: &str, sync: DangerSync) -> Result<Connection, OpenError> {
    let disk = |error: rusqlite::Error| of_sqlite(&error, path, file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(disk)?;
    connection.busy_timeout(BUSY).map_err(disk)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    let found = schema::version(&connection).map_err(disk)?;
    let found = found.ok_or_else(|| OpenError::NotAStore { path: path.to_owned() })?;
    if found > schema::VERSION {
        return Err(OpenError::Newer { found, known: schema::VERSION });
    }
    prepare(&connection, sync).map_err(disk)?;
    if found < schema::VERSION {
        schema::migrate(&mut connection, found).map_err(disk)?;
    }
    // What a log holds after a failed wait for the disk may be in memory only, and look written. Copying it into the database
    // and waiting for that makes it so, or fails here.
    super::writer::fold(&connection, "TRUNCATE").map_err(disk)?;
    Ok(connection)
}

fn prepare(connection: &Connection, sync: DangerSync) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        // File systems without shared memory, such as some network shares.
        let what = format!("this file system cannot keep a log beside the database: journal mode is {mode}");
        return Err(rusqlite::Error::ToSqlConversionFailure(what.into()));
    }
    connection.pragma_update(None, "synchronous", sync.pragma())?;
    // Where a wait for the disk does not wait for its cache: macOS.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

/// Looks for damage before anything is used. What is wrong with the file itself is wrong with all of it; what is wrong with records is
/// somebody's, and the others run on.
fn look_over(connection: &Connection, path: &Path, file: &str) -> Result<Quarantine, OpenError> {
    let bytes = path.metadata().map_or(0, |metadata| metadata.len());
    if bytes > CHECKED_BYTES_MAX {
        return Ok(Quarantine::default());
    }
    if let Some(damage) = check::structure(connection, file).map_err(of_store)?.into_iter().next() {
        return Err(OpenError::Damaged(Box::new(damage)));
    }
    let findings = check::records(connection, file).map_err(of_store)?.findings;
    let quarantine = Quarantine::new(&findings);
    if let Some(Finding { damage, .. }) = findings.first() {
        let (records, actors) = (findings.len(), quarantine.len());
        tracing::error!(store = %file, records, actors, %damage, "the store is damaged; those actors stand still");
    }
    Ok(quarantine)
}

fn of_sqlite(error: &rusqlite::Error, path: &Path, file: &str) -> OpenError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        return OpenError::NotAStore { path: path.to_owned() };
    }
    of_store(fault::of_read(error, file))
}

fn of_store(error: StoreError) -> OpenError {
    match error {
        StoreError::Corrupt(damage) => OpenError::Damaged(damage),
        other => OpenError::Disk { cause: Arc::from(other.to_string()) },
    }
}
