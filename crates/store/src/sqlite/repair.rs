//! Letting go of what is damaged, so that the rest of an actor can go on: the last resort where there is no backup.

use hashbrown::HashMap;
use rusqlite::{Connection, Row, params_from_iter};

use crate::core::{Counters, Known, Reads as _, Rows as _};
use crate::error::StoreError;
use crate::model::{ActorKey, Usage};

use super::check;
use super::decode::{Place, select};
use super::fault;
use super::quarantine::{Finding, Quarantine};
use super::reads::SqliteRows;

type Result<T> = std::result::Result<T, StoreError>;

/// What an actor has, by the column that names it.
const OF_ACTORS: [&str; 6] = ["mailbox", "requests", "state", "outbox", "timers", "sealed_keys"];

/// Messages that may have come and gone after the last one that is there: a day at fifty thousand a second.
const MESSAGES_MISSING_MAX: u64 = 1 << 32;
/// Actors whose rows may be missing behind the last one that is there. Actors never go, so these were damaged.
const ACTORS_MISSING_MAX: u64 = 1 << 16;

/// Damaged records that are dropped before the rest is looked for: some megabytes.
const DROPPED_AT_ONCE: usize = 10_000;

/// Drops every damaged record, and with a damaged actor all that it has; then counts anew. All of it or nothing. `groups` is how many
/// were acknowledged, for when nothing else says so.
pub(super) fn repair(connection: &Connection, file: &str, groups: Option<u64>) -> Result<()> {
    let fail = |error| fault::of_write(&error, file);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fail)?;
    let repaired = drop_and_count(connection, file, groups);
    connection.execute_batch(if repaired.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(fail)?;
    repaired
}

fn drop_and_count(connection: &Connection, file: &str, groups: Option<u64>) -> Result<()> {
    loop {
        let found = check::records(connection, file, DROPPED_AT_ONCE)?;
        let mut rows = 0;
        for finding in &found.findings {
            tracing::warn!(damage = %finding.damage, "dropped");
            rows += u64::from(finding.key.is_some());
            drop_row(connection, finding).map_err(|error| fault::of_write(&error, file))?;
        }
        if found.more == 0 || rows == 0 {
            break;
        }
    }
    let sound = Quarantine::default();
    let mut rows = SqliteRows::new(connection, file, &sound);
    drop_requests_without_message(&mut rows)?;
    count_actors(&mut rows)?;
    count_all(&mut rows, groups)
}

fn drop_row(connection: &Connection, finding: &Finding) -> rusqlite::Result<()> {
    let Some((columns, values)) = &finding.key else { return Ok(()) };
    let (table, columns) = (finding.table, columns.join(" = ? AND "));
    connection.execute(&format!("DELETE FROM {table} WHERE {columns} = ?"), params_from_iter(values))?;
    if table == "actors" {
        for table in OF_ACTORS {
            connection.execute(&format!("DELETE FROM {table} WHERE actor = ?"), params_from_iter(values))?;
        }
    }
    Ok(())
}

/// A request that waits for a message which was dropped would wait for ever.
fn drop_requests_without_message(rows: &mut SqliteRows<'_>) -> Result<()> {
    let waiting = select!(requests " WHERE answered IS NULL");
    for (actor, request, known) in each(rows, "requests", waiting, |place, row| place.request(row))? {
        if let Known::Pending(position) = known
            && rows.queued_brief(actor, position)?.is_none()
        {
            rows.delete_request(actor, &request)?;
        }
    }
    Ok(())
}

fn count_actors(rows: &mut SqliteRows<'_>) -> Result<()> {
    let mut queued_bytes: HashMap<ActorKey, u64> = HashMap::new();
    for (actor, _, head) in each(rows, "mailbox", select!(mailbox ""), |place, row| place.head(row))? {
        *queued_bytes.entry(actor).or_default() += head.bytes;
    }
    for mut info in each(rows, "actors", select!(actors ""), |place, row| place.actor(row))? {
        let actor = info.lease.actor;
        let count = |table: &str, of: &str| {
            number(rows, &format!("SELECT coalesce(sum({of}), 0) FROM {table} WHERE actor = {actor}"))
        };
        info.lease.usage = Usage {
            state_keys: count("state", "1")?,
            state_bytes: count("state", "length(key) + length(value)")?,
            timers: count("timers", "1")?,
            outbox: count("outbox", "1")?,
            sealed_keys: count("sealed_keys", "1")?,
            queued: count("mailbox", "1")?,
            queued_bytes: queued_bytes.get(&actor).copied().unwrap_or(0),
        };
        rows.put_actor(&info)?;
    }
    Ok(())
}

fn count_all(rows: &mut SqliteRows<'_>, groups: Option<u64>) -> Result<()> {
    const REPLIES: &str = "FROM requests WHERE answered IS NOT NULL";
    let mut counters = match rows.counters() {
        Err(StoreError::Corrupt(_)) => new_counters(rows, groups)?,
        counters => counters?,
    };
    counters.letters = number(rows, "SELECT count(*) FROM letters")?;
    counters.letters_bytes = number(rows, "SELECT coalesce(sum(bytes), 0) FROM letters")?;
    counters.replies = number(rows, &format!("SELECT count(*) {REPLIES}"))?;
    counters.replies_bytes = number(rows, &format!("SELECT coalesce(sum(bytes), 0) {REPLIES}"))?;
    rows.put_counters(&counters)
}

/// Counters in place of damaged ones. Numbers are not given out twice, also not those of rows that are gone.
fn new_counters(rows: &SqliteRows<'_>, groups: Option<u64>) -> Result<Counters> {
    let last = |column: &str, table: &str| number(rows, &format!("SELECT coalesce(max({column}), 0) FROM {table}"));
    Ok(Counters {
        group: groups.unwrap_or(0),
        actor: last("actor", "actors")? + ACTORS_MISSING_MAX,
        seq: last("seq", "mailbox")? + MESSAGES_MISSING_MAX,
        out: last("id", "outbox")? + MESSAGES_MISSING_MAX,
        letter: last("id", "letters")? + MESSAGES_MISSING_MAX,
        ..Counters::default()
    })
}

/// All rows of a query at once, so that they can be changed.
fn each<T>(
    rows: &SqliteRows<'_>,
    table: &'static str,
    sql: &str,
    decode: fn(&Place<'_>, &Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let fail = |error| fault::of_read(&error, rows.file);
    let place = Place { file: rows.file, table };
    let mut statement = rows.connection.prepare(sql).map_err(fail)?;
    let mut found = statement.query([]).map_err(fail)?;
    let mut all = Vec::new();
    while let Some(row) = found.next().map_err(fail)? {
        all.push(decode(&place, row)?);
    }
    Ok(all)
}

fn number(rows: &SqliteRows<'_>, sql: &str) -> Result<u64> {
    let found = rows.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    found.map(i64::cast_unsigned).map_err(|error| fault::of_read(&error, rows.file))
}
