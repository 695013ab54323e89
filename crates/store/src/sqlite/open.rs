use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::core::{Book, Counters, Reads as _};
use crate::error::{Damage, StoreError};
use crate::limits::DAMAGE_LISTED_MAX;

use super::files::{self, Mark, Unlockable};
use super::options::{DangerSync, SqliteOptions};
use super::quarantine::{Finding, Quarantine};
use super::readers::STATEMENTS_MAX;
use super::reads::SqliteRows;
use super::refusal::OpenError;
use super::space::Space;
use super::{check, fault, repair, schema};

/// Databases up to this size are looked over before they are used: about a second. Larger ones when somebody asks for it.
const CHECKED_BYTES_MAX: u64 = 256 << 20;
/// Pages that the writer keeps.
const CACHE_KIB: i64 = 32 << 10;
/// Nobody else writes, so a lock is a reader's for the moment in which the log is reset.
pub(super) const BUSY: Duration = Duration::from_secs(5);

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
    files::make_folder(folder)?;
    let lock = files::lock(folder).map_err(|error| match error {
        Unlockable::Held { pid } => OpenError::Locked { path: folder.to_owned(), pid },
        Unlockable::Io(source) => io(source),
    })?;
    let path = files::make_database(folder).map_err(io)?;
    let file: Arc<str> = path.display().to_string().into();
    let mark = Mark::open(folder).map_err(io)?;
    let mut space = Space::open(folder, options.reserve_bytes).map_err(io)?;
    let found = Found { path: &path, file: &file, mark: &mark, options };
    found.check_log()?;
    let connection = match found.connect() {
        // There has to be room for the index of the log, and for folding it.
        Err(Trouble::Sqlite(error)) if fault::lacks_room(&error) => {
            space.ran_out();
            found.connect()
        }
        connected => connected,
    };
    let connection = connection.map_err(|trouble| found.refusal(trouble))?;
    if options.danger_drop_damaged {
        repair::repair(&connection, &file, mark.acknowledged()).map_err(of_store)?;
    }
    let quarantine = Arc::new(look_over(&connection, &path, &file)?);
    let counters = SqliteRows::new(&connection, &file, &quarantine).counters().map_err(of_store)?;
    mark.write(counters.group);
    mark.write_folded(counters.group);
    space.look();
    let book = Book::new(counters, options.retention);
    Ok(Opened { connection, path, file, quarantine, book, mark, space, _lock: lock })
}

/// What is there when a store is opened, before anything of it is changed.
struct Found<'a> {
    path: &'a Path,
    /// The path for people.
    file: &'a str,
    mark: &'a Mark,
    options: &'a SqliteOptions,
}

/// Why there is no connection.
enum Trouble {
    Refused(OpenError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Found<'_> {
    /// SQLite would add any log that is whole in itself to any file. A file that has less than was folded into it is an older copy, and the
    /// log beside it belongs to the one that was there before.
    fn check_log(&self) -> Result<(), OpenError> {
        let log = files::log_of(self.path);
        let (Some(acknowledged), true) = (self.mark.folded(), log.metadata().is_ok_and(|log| log.len() > 0)) else {
            return Ok(());
        };
        match self.groups_without_log() {
            Some(found) if found < acknowledged && !self.options.danger_accept_loss => {
                Err(OpenError::AcknowledgedMissing { acknowledged, found })
            }
            Some(found) if found < acknowledged => {
                files::set_apart(&log).map_err(|source| OpenError::Folder { path: log, source })
            }
            _ => Ok(()),
        }
    }

    /// How many groups the file itself has. None if it cannot be read without its log, as when folding was cut short.
    fn groups_without_log(&self) -> Option<u64> {
        if self.path.metadata().is_ok_and(|file| file.len() == 0) {
            return Some(0);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let alone = Connection::open_with_flags(files::uri_without_log(self.path), flags).ok()?;
        let counters = SqliteRows::new(&alone, self.file, &Quarantine::default()).counters();
        counters.ok().map(|counters| counters.group)
    }

    fn connect(&self) -> Result<Connection, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(self.path, flags)?;
        // What is refused keeps its log as it is. Without this, the last connection that closes folds it and removes it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        let not_ours = || Trouble::Refused(OpenError::NotAStore { path: self.path.to_owned() });
        let version = schema::version(&connection)?.ok_or_else(not_ours)?;
        if version > schema::VERSION {
            return Err(Trouble::Refused(OpenError::Newer { found: version, known: schema::VERSION }));
        }
        if let Some(row) = schema::stranger(&connection, version)? {
            let what = format!("is not what version {version} of the schema has");
            let damage = Damage { file: self.file.to_owned(), table: "sqlite_schema".to_owned(), row, what };
            return Err(Trouble::Refused(OpenError::Damaged(Box::new(damage))));
        }
        self.check_acknowledged(&connection, version).map_err(Trouble::Refused)?;

        prepare(&connection, self.options.danger_sync)?;
        if version < schema::VERSION {
            schema::migrate(&mut connection, version)?;
        }
        // What a log holds after a failed wait for the disk may be in memory only, and look written. Copying it into the database
        // and waiting for that makes it so, or fails here.
        super::log::fold(&connection, "TRUNCATE")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(connection)
    }

    /// Whether all is there that was acknowledged: looked for before anything is done that could not be undone.
    fn check_acknowledged(&self, connection: &Connection, version: i64) -> Result<(), OpenError> {
        let counters = match version {
            0 => Ok(Counters::default()),
            _ => SqliteRows::new(connection, self.file, &Quarantine::default()).counters(),
        };
        match (counters, self.mark.acknowledged()) {
            (Ok(Counters { group: found, .. }), Some(acknowledged))
                if acknowledged > found && !self.options.danger_accept_loss =>
            {
                Err(OpenError::AcknowledgedMissing { acknowledged, found })
            }
            // They are made anew.
            (Err(StoreError::Corrupt(_)), _) if self.options.danger_drop_damaged => Ok(()),
            (Err(error), _) => Err(of_store(error)),
            _ => Ok(()),
        }
    }

    fn refusal(&self, trouble: Trouble) -> OpenError {
        match trouble {
            Trouble::Refused(error) => error,
            Trouble::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                OpenError::NotAStore { path: self.path.to_owned() }
            }
            Trouble::Sqlite(error) => of_store(fault::of_read(&error, self.file)),
        }
    }
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
    let found = check::records(connection, file, DAMAGE_LISTED_MAX).map_err(of_store)?;
    let quarantine = Quarantine::new(&found);
    if let Some(Finding { damage, .. }) = found.findings.first() {
        let (records, actors) = (found.findings.len() as u64 + found.more, quarantine.len());
        tracing::error!(store = %file, records, actors, %damage, "the store is damaged; those actors stand still");
    }
    Ok(quarantine)
}

fn of_store(error: StoreError) -> OpenError {
    match error {
        StoreError::Corrupt(damage) => OpenError::Damaged(damage),
        other => OpenError::Disk { cause: Arc::from(other.to_string()) },
    }
}
