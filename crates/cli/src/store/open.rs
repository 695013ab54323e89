use std::path::Path;
use std::sync::Arc;

use playhouse_store::{MemoryStore, OpenError, Retention, SqliteOptions, SqliteStore, Store};
use playhouse_types::{Code, ErrorKind};

use super::location::Location;
use crate::error::{CliError, Result};

#[cfg(feature = "postgres")]
mod server;
#[cfg(not(feature = "postgres"))]
#[path = "open/no_server.rs"]
mod server;

use self::server::postgres;

/// The file that makes a folder a store.
pub(crate) const DATABASE: &str = "playhouse.db";

/// Opens a store for a node, and makes it if it is not there. None if the node is to have none.
pub(crate) fn for_node(location: &Location) -> Result<Option<Arc<dyn Store>>> {
    Ok(Some(match location {
        Location::None => return Ok(None),
        Location::Memory => Arc::new(MemoryStore::new(Retention::default())),
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
        Location::Folder(folder) if !folder.join(DATABASE).exists() => Err(absent(folder)),
        Location::Folder(folder) => Ok(folder_store(folder)?),
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
    CliError::new(Code::NotStored, ErrorKind::NotFound, format!("there is no store in {}", folder.display()))
        .fix("Name one with `--store DIR`, or its node with `--node NAME`; `playhouse run PACKAGE` makes one.")
}

/// Opens a store and forgets what is damaged in it.
pub(crate) fn without_damaged(folder: &Path) -> Result<Arc<dyn Store>> {
    let options = SqliteOptions { danger_drop_damaged: true, ..SqliteOptions::default() };
    Ok(Arc::new(SqliteStore::open(folder, options).map_err(|error| refused(&error))?))
}

/// Opens a copy of a store that is nobody's, without what is damaged in it.
pub(crate) fn sound_part(copy: &Path) -> Result<Arc<dyn Store>> {
    // What is dropped from the copy is there in the store: nobody is to read that it was dropped.
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || without_damaged(copy))
}

fn folder_store(folder: &Path) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(SqliteStore::open(folder, SqliteOptions::default()).map_err(|error| refused(&error))?))
}

/// Why a store in a folder is not opened, with the way out.
pub(crate) fn refused(error: &OpenError) -> CliError {
    let kind = match error {
        OpenError::Locked { .. } => ErrorKind::Unavailable,
        OpenError::NotAStore { .. } | OpenError::Newer { .. } => ErrorKind::InvalidArgument,
        _ => ErrorKind::Internal,
    };
    let refused = CliError::new(error.code(), kind, error.to_string());
    match error {
        OpenError::Locked { .. } => refused.fix(
            "If that is a node of yours, name it with `--node NAME` instead of its store; `playhouse stop --all` ends it.",
        ),
        OpenError::AcknowledgedMissing { .. } => refused.fix(
            "If you put an older copy there on purpose, delete the file `mark` beside the database; `playhouse restore` does it right.",
        ),
        _ => refused,
    }
}
