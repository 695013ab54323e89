//! The log of the database: how long it is, and how it gets into the database.

use std::time::Duration;

use rusqlite::Connection;

use super::open::BUSY;

/// Pages of the log after which it is folded into the database: 16 MiB, some tens of milliseconds of work.
pub(super) const FOLD_PAGES: u64 = 4096;
/// Pages of the log that could not be folded because somebody reads, after which the writer waits for the readers: 256 MiB.
const LOG_PAGES_MAX: u64 = 16 * FOLD_PAGES;
/// How long readers are waited for then: those of single values are gone in microseconds.
const READERS_WAITED_FOR: Duration = Duration::from_millis(100);

/// How long the log of a database may grow before its readers are waited for. They read on for as long as they like, a backup for minutes, and
/// whoever writes waits meanwhile: so they are asked once for every so many pages.
#[derive(Debug)]
pub(super) struct Patience {
    pages: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pages: LOG_PAGES_MAX }
    }
}

impl Patience {
    pub(super) fn is_over(&self, pages: u64) -> bool {
        pages >= self.pages
    }

    /// The log was folded as far as readers let it, and has so many pages now.
    pub(super) fn folded(&mut self, pages: u64) {
        if self.is_over(pages) {
            self.pages = pages + LOG_PAGES_MAX;
        } else if pages < LOG_PAGES_MAX {
            self.pages = LOG_PAGES_MAX;
        }
    }
}

/// Copies the log into the database, and waits a little for its readers, so that it can begin anew.
pub(super) fn restart(connection: &Connection) -> rusqlite::Result<Log> {
    connection.busy_timeout(READERS_WAITED_FOR)?;
    let folded = fold(connection, "RESTART");
    connection.busy_timeout(BUSY)?;
    folded
}

/// How long the log is, and how much of it is not in the database yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Log {
    pub(super) pages: u64,
    pub(super) unfolded: u64,
}

/// Copies what nobody reads any more of the log into the database.
pub(super) fn fold(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], log_of)
}

pub(super) fn look(connection: &Connection) -> rusqlite::Result<Log> {
    connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], log_of)
}

fn log_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Log> {
    let (pages, folded): (i64, i64) = (row.get(1)?, row.get(2)?);
    let pages = u64::try_from(pages).unwrap_or(0);
    Ok(Log { pages, unfolded: pages.saturating_sub(u64::try_from(folded).unwrap_or(0)) })
}

#[cfg(test)]
mod tests;
