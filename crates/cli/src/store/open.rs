use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use playhouse_store::{MemoryStore, OpenError, Retention, SqliteOptions, SqliteStore, Store};
use playhouse_types::{Code, ErrorKind};

use super::location::Location;
use crate::error::{CliError, Result};
use crate::output::{Format, Output};

mod holder;
#[cfg(feature = "postgres")]
mod server;
#[cfg(not(feature = "postgres"))]
#[path = "open/no_server.rs"]
mod server;

use self::holder::Holder;
use self::server::postgres;

/// The file that makes a folder a store.
pub(crate) const DATABASE: &str = "playhouse.db";
/// The file beside it that says how much was acknowledged.
pub(crate) const MARK: &str = "mark";

/// Opens a store for a node, and makes it if it is not there. None if the node is to have none.
pub(crate) fn for_node(location: &Location) -> Result<Option<Arc<dyn Store>>> {
    Ok(Some(match location {
        Location::None => return Ok(None),
        Location::Memory => Arc::new(MemoryStore::new(Retention::default())),
        Location::Folder(folder) if is_lost(folder) => return Err(lost(folder)),
        Location::Folder(folder) => folder_store(folder)?,
        Location::Postgres(url) => postgres(url, location)?,
    }))
}

/// Opens a store to look into it, which must be there.
pub(crate) fn existing(location: &Location) -> Result<Arc<dyn Store>> {
    match location {
        Location::None | Location::Memory => {
            let message = format!("the node's store was `{location}`, of which nothing is left");
            Err(CliError::new(Code::NotStored, ErrorKind::NotFound, message)
                .fix("Name a store with `--store DIR`; `playhouse run --store DIR` keeps one."))
        }
        Location::Folder(folder) => match folder.join(DATABASE).symlink_metadata() {
            Ok(_) => folder_store(folder),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(CliError::io(Code::Config, format_args!("cannot look into {}", folder.display()), &error))
            }
            Err(_) => Err(absent(folder)),
        },
        Location::Postgres(url) => postgres(url, location),
    }
}

/// There is no store in a folder.
pub(crate) fn absent(folder: &Path) -> CliError {
    if folder.is_file() {
        let message = format!("{} is a file, and a store is a folder", folder.display());
        let fix = format!("Of a backup, `playhouse restore {} --store DIR` makes a store.", folder.display());
        return CliError::new(Code::NotStored, ErrorKind::InvalidArgument, message).fix(fix);
    }
    if is_lost(folder) {
        return lost(folder);
    }
    CliError::new(Code::NotStored, ErrorKind::NotFound, format!("there is no store in {}", folder.display()))
        .fix("Name one with `--store DIR`, or its node with `--node NAME`; `playhouse run PACKAGE` makes one.")
}

/// Whether a store was in a folder whose database is not there.
fn is_lost(folder: &Path) -> bool {
    folder.join(MARK).exists() && matches!(folder.join(DATABASE).try_exists(), Ok(false))
}

fn lost(folder: &Path) -> CliError {
    let message = format!("the store in {} has lost its database: {DATABASE} is not there", folder.display());
    CliError::new(Code::NotStored, ErrorKind::NotFound, message).fix(format!(
        "`playhouse restore FILE --store {}` makes it again of a backup; or name another folder.",
        folder.display()
    ))
}

/// Opens a store and forgets what is damaged in it.
pub(crate) fn without_damaged(folder: &Path) -> Result<Arc<dyn Store>> {
    open_folder(folder, &SqliteOptions { danger_drop_damaged: true, ..SqliteOptions::default() })
}

/// Opens a copy of a store that is nobody's, without what is damaged in it.
pub(crate) fn sound_part(copy: &Path) -> Result<Arc<dyn Store>> {
    // What is dropped from the copy is there in the store: nobody is to read that it was dropped.
    quietly(|| without_damaged(copy))
}

/// Does something without the remarks of the libraries, for what says itself what they would.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

fn folder_store(folder: &Path) -> Result<Arc<dyn Store>> {
    open_folder(folder, &SqliteOptions::default())
}

/// How often a store is tried that somebody has open.
const TRY_EVERY: Duration = Duration::from_millis(25);
/// After how long a person is told what is waited for.
const SAID_AFTER: Duration = Duration::from_secs(1);

/// Opens a store. Waits for those who have it open for a moment only: other commands.
fn open_folder(folder: &Path, options: &SqliteOptions) -> Result<Arc<dyn Store>> {
    let start = Instant::now();
    let mut said = false;
    loop {
        let error = match SqliteStore::open(folder, options.clone()) {
            Ok(store) => return Ok(Arc::new(store)),
            Err(error) => error,
        };
        let OpenError::Locked { pid, .. } = &error else { return Err(refused(&error)) };
        let holder = Holder::of(*pid);
        if start.elapsed() >= holder.patience() {
            return Err(locked(&error, &holder));
        }
        if !said && start.elapsed() >= SAID_AFTER {
            said = true;
            Output::new(Format::Text).remark(format_args!("waiting: {error}{holder}"));
        }
        std::thread::sleep(TRY_EVERY);
    }
}

/// The way out where another command has the store open.
pub(super) const TRY_AGAIN: &str = "That command lets go of the store when it is done: try again then.";

fn locked(error: &OpenError, holder: &Holder) -> CliError {
    let fix = match holder {
        Holder::Command(_) | Holder::Unknown => TRY_AGAIN,
        Holder::Node(_) => {
            "If that is a node of yours, name it with `--node NAME` instead of its store; `playhouse stop --all` ends it."
        }
    };
    CliError::new(error.code(), ErrorKind::Unavailable, format!("{error}{holder}")).fix(fix)
}

/// Why a store in a folder is not opened, with the way out.
pub(crate) fn refused(error: &OpenError) -> CliError {
    let text = error.to_string();
    let because = |code, kind, fix: &str| CliError::new(code, kind, text.clone()).fix(fix);
    match error {
        OpenError::Folder { path, source } => unusable(path, source),
        OpenError::NotOurs { .. } => {
            because(Code::Config, ErrorKind::PermissionDenied, "Name a folder of your own with `--store DIR`.")
        }
        OpenError::NotEmpty { path, .. } if is_lost(path) => lost(path),
        OpenError::NotEmpty { .. } => {
            let fix = "Name an empty folder, or one that is yet to be made, with `--store DIR`.";
            because(Code::Config, ErrorKind::InvalidArgument, fix)
        }
        OpenError::Exposed { path, .. } => {
            let fix = format!("`chmod 700 {}` closes it to others.", path.display());
            because(Code::Config, ErrorKind::PermissionDenied, &fix)
        }
        OpenError::NotAStore { .. } => {
            let fix = "It is another program's file, or its beginning is damaged: then only a backup helps (`playhouse restore`).";
            because(error.code(), ErrorKind::InvalidArgument, fix)
        }
        OpenError::Newer { .. } => CliError::new(error.code(), ErrorKind::InvalidArgument, text),
        OpenError::Damaged(damage) if ["pages", "sqlite_schema"].contains(&&*damage.table) => {
            because(error.code(), ErrorKind::Internal, ONLY_A_BACKUP)
        }
        OpenError::AcknowledgedMissing { .. } => because(
            error.code(),
            ErrorKind::Internal,
            "If you put an older copy there on purpose, delete the file `mark` beside the database.",
        ),
        // SQLite's words and the store's own.
        OpenError::Disk { cause } if cause.contains("is full") || cause.contains("bytes left") => {
            let fix = "Make room on that disk, or name another place with `--store DIR`.";
            because(Code::DiskFull, ErrorKind::Unavailable, fix)
        }
        _ => CliError::new(error.code(), ErrorKind::Internal, text),
    }
}

/// The way out where the file itself is damaged, not what is in it.
const ONLY_A_BACKUP: &str = "Nothing can be dropped where the file itself is damaged: restore a backup (`playhouse restore FILE --store DIR`). \
                             Without one, `sqlite3 FILE .recover` may save some of it for reading.";

/// A folder, or a file in it, that cannot be used.
fn unusable(path: &Path, source: &io::Error) -> CliError {
    let code = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::ReadOnlyFilesystem => Code::Config,
        _ => Code::StoreFailed,
    };
    let failed = CliError::io(code, format_args!("cannot use the store at {}", path.display()), source);
    match source.kind() {
        io::ErrorKind::NotADirectory => failed.fix("A store is a folder: name one with `--store DIR`."),
        _ => failed,
    }
}

#[cfg(test)]
mod tests;
