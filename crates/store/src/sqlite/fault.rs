use std::path::Path;
use std::sync::Arc;

use rusqlite::{Error, ErrorCode};

use crate::error::{Damage, StoreError};

/// Whose fault an error of SQLite is.
pub(super) fn is_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Whether an error is for want of room on the disk, also of that for the index of a log, which SQLite calls an error of the disk.
pub(super) fn lacks_room(error: &Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    is_full(error) || extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

pub(super) fn is_busy(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

pub(super) fn is_corrupt(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn corrupt(error: &Error, file: &str) -> StoreError {
    let what = error.to_string();
    Damage { file: file.to_owned(), table: "pages".to_owned(), row: "unknown".to_owned(), what }.into()
}

/// An error while something was read.
pub(super) fn of_read(error: &Error, file: &str) -> StoreError {
    if is_corrupt(error) {
        return corrupt(error, file);
    }
    // Pages that a large commit has changed make room for those that are read.
    if is_full(error) {
        return StoreError::DiskFull { free: 0, reserve: 0 };
    }
    StoreError::Read { cause: Arc::from(error.to_string()) }
}

/// An error while something was written.
pub(super) fn of_write(error: &Error, file: &str) -> StoreError {
    if is_corrupt(error) {
        return corrupt(error, file);
    }
    if is_full(error) {
        return StoreError::DiskFull { free: 0, reserve: 0 };
    }
    StoreError::Failed { cause: Arc::from(error.to_string()) }
}

pub(super) fn of_io(error: &std::io::Error, path: &Path) -> StoreError {
    StoreError::Read { cause: Arc::from(format!("{}: {error}", path.display())) }
}
