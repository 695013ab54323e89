//! The tables, and how older ones become these. Each row has a checksum over its key and its values in `sum`.

use hashbrown::HashMap;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The version that this program writes.
pub(super) const VERSION: i64 = 1;
/// Says in the file's header that it is ours: "PlHs".
pub(super) const APPLICATION_ID: i64 = 0x506c_4873;

/// What makes each version of the one before it, from an empty database on. Entries are never changed, only added.
const MIGRATIONS: [&str; 1] = [VERSION_1];

/// Mailboxes, state, requests, timers and keys are clustered by actor: what one actor reads lies together, and there is no second
/// index to write. Only what is looked for across actors has one: replies by age, timers by when they are due.
const VERSION_1: &str = "
CREATE TABLE counters (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE actors (actor INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, body BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE mailbox (actor INTEGER NOT NULL, lane INTEGER NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL,
  sum INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (actor, lane, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE requests (actor INTEGER NOT NULL, request BLOB NOT NULL, answered INTEGER, bytes INTEGER NOT NULL,
  body BLOB, sum INTEGER NOT NULL, PRIMARY KEY (actor, request)) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (answered) WHERE answered IS NOT NULL;
CREATE TABLE state (actor INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL, sum INTEGER NOT NULL,
  value BLOB NOT NULL, PRIMARY KEY (actor, key)) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (id INTEGER PRIMARY KEY, actor INTEGER NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE timers (actor INTEGER NOT NULL, name TEXT NOT NULL, due INTEGER NOT NULL, body BLOB NOT NULL,
  sum INTEGER NOT NULL, PRIMARY KEY (actor, name)) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due);
CREATE TABLE letters (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, body BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE sealed_keys (actor INTEGER NOT NULL, name TEXT NOT NULL, blob BLOB NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (actor, name)) STRICT, WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// The version of a database; 0 if it is empty. `None` if it is not ours.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = version == 0 && application == 0 && tables == 0;
    Ok((empty || (application == APPLICATION_ID && version > 0)).then_some(version))
}

/// The first thing in a database of that version that its migrations did not make, or made otherwise; or what is missing. Views, triggers and
/// virtual tables would run when a table is read.
pub(super) fn stranger(connection: &Connection, version: i64) -> rusqlite::Result<Option<String>> {
    const ALL: &str = "SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_schema";
    let own = Connection::open_in_memory()?;
    for step in MIGRATIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
        own.execute_batch(step)?;
    }
    let whole = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)));
    let mut wanted: HashMap<String, (String, String, String)> =
        own.prepare(ALL)?.query_map([], whole)?.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare(ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, found) = whole(row)?;
        if wanted.remove(&name) != Some(found) {
            return Ok(Some(name));
        }
    }
    Ok(wanted.into_keys().min())
}

/// Makes the tables those of [`VERSION`], all or nothing.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
