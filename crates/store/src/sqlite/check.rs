//! Looking for damage: first the structure of the file, then every record against its checksum, then what actors are said to keep
//! against what they keep.

use hashbrown::HashMap;
use rusqlite::{Connection, Row};

use crate::contract::Report;
use crate::error::{Damage, StoreError};
use crate::limits::DAMAGE_LISTED_MAX;
use crate::model::ActorKey;

use super::decode::{Place, select};
use super::fault;
use super::quarantine::{self, Finding};

type Result<T> = std::result::Result<T, StoreError>;

/// What SQLite finds wrong with the pages of the file, by its own check of all trees, and of the indexes of the tables that have one.
pub(super) fn structure(connection: &Connection, file: &str) -> Result<Vec<Damage>> {
    let mut found = pragma(connection, file, "quick_check", DAMAGE_LISTED_MAX)?;
    for table in ["actors", "requests", "timers"] {
        if found.is_empty() {
            found.extend(pragma(connection, file, "integrity_check", table)?);
        }
    }
    Ok(found)
}

fn pragma(connection: &Connection, file: &str, name: &str, of: impl std::fmt::Display) -> Result<Vec<Damage>> {
    let fail = |error| fault::of_read(&error, file);
    let mut statement = connection.prepare(&format!("PRAGMA {name}({of})")).map_err(fail)?;
    let mut rows = statement.query([]).map_err(fail)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fail)? {
        let what: String = row.get(0).map_err(fail)?;
        if what != "ok" {
            let (file, table, row) = (file.to_owned(), "pages".to_owned(), "see behind".to_owned());
            found.push(Damage { file, table, row, what });
        }
    }
    Ok(found)
}

type Decode = fn(&Place<'_>, &Row<'_>) -> Result<()>;

struct Table {
    name: &'static str,
    rows: &'static str,
    decode: Decode,
    /// Which column names the actor.
    actor: Option<usize>,
    /// The columns of its key, which are the first of each row.
    key: &'static [&'static str],
}

const fn table(
    name: &'static str,
    rows: &'static str,
    key: &'static [&'static str],
    actor: Option<usize>,
    decode: Decode,
) -> Table {
    Table { name, rows, decode, actor, key }
}

const TABLES: [Table; 10] = [
    table("counters", select!(counters ""), &[], None, |place, row| place.counters(row).map(drop)),
    table("actors", select!(actors ""), &["actor"], Some(0), |place, row| place.actor(row).map(drop)),
    table("mailbox", select!(mailbox ""), &["actor", "lane", "seq"], Some(0), |place, row| place.queued(row).map(drop)),
    table("requests", select!(requests ""), &["actor", "request"], Some(0), |place, row| place.request(row).map(drop)),
    table("state", select!(state ""), &["actor", "key"], Some(0), |place, row| place.state(row).map(drop)),
    table("outbox", select!(outbox ""), &["id"], Some(1), |place, row| place.out(row).map(drop)),
    table("timers", select!(timers ""), &["actor", "name"], Some(0), |place, row| place.timer(row).map(drop)),
    table("letters", select!(letters ""), &["id"], None, |place, row| place.letter(row).map(drop)),
    table("sealed_keys", select!(sealed_keys ""), &["actor", "name"], Some(0), |place, row| {
        place.sealed_key(row).map(drop)
    }),
    table("notes", select!(notes ""), &["name"], None, |place, row| place.note(row).map(drop)),
];

/// What is damaged of the records.
pub(super) struct Records {
    pub(super) count: u64,
    pub(super) findings: Vec<Finding>,
}

/// Everything, as it was at one moment.
pub(super) fn check(connection: &Connection, file: &str) -> Result<Report> {
    let fail = |error| fault::of_read(&error, file);
    connection.execute_batch("BEGIN").map_err(fail)?;
    let report = look(connection, file);
    connection.execute_batch("COMMIT").map_err(fail)?;
    report
}

fn look(connection: &Connection, file: &str) -> Result<Report> {
    let damage = match structure(connection, file) {
        Ok(found) => found,
        Err(StoreError::Corrupt(damage)) => vec![*damage],
        Err(error) => return Err(error),
    };
    let Records { count, findings } = records(connection, file)?;
    let mut report = quarantine::report(count, findings);
    damage.into_iter().for_each(|damage| report.add(damage));
    Ok(report)
}

/// Every record against its checksum, and what actors keep against what their rows say.
pub(super) fn records(connection: &Connection, file: &str) -> Result<Records> {
    let mut records = Records { count: 0, findings: Vec::new() };
    for table in &TABLES {
        let place = Place { file, table: table.name };
        let read = table_rows(connection, &place, table, &mut records);
        records.take(read, table.name, None)?;
    }
    let counted = usage(connection, file, &mut records);
    records.take(counted, "actors", None)?;
    Ok(records)
}

impl Records {
    /// Damage is a finding, anything else ends the check.
    fn take(&mut self, result: Result<()>, table: &'static str, actor: Option<ActorKey>) -> Result<()> {
        match result {
            Err(StoreError::Corrupt(damage)) => {
                self.findings.push(Finding { damage: *damage, table, actor, key: None });
                Ok(())
            }
            other => other,
        }
    }
}

fn table_rows(connection: &Connection, place: &Place<'_>, table: &Table, records: &mut Records) -> Result<()> {
    let fail = |error| fault::of_read(&error, place.file);
    let mut statement = connection.prepare(table.rows).map_err(fail)?;
    let mut rows = statement.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        records.count += 1;
        let read = (table.decode)(place, row);
        if read.is_ok() {
            continue;
        }
        let named = table.actor.and_then(|column| row.get::<_, i64>(column).ok()).map(i64::cast_unsigned);
        records.take(read, table.name, named.map(ActorKey::from_number))?;
        if let Some(finding) = records.findings.last_mut()
            && !table.key.is_empty()
        {
            let values = (0..table.key.len()).map(|column| row.get(column));
            finding.key = Some((table.key, values.collect::<rusqlite::Result<_>>().map_err(fail)?));
        }
        if table.name == "requests" {
            for actor in owners(connection, place, row)? {
                let damage = place.row_damage(row, "the actor in its key is damaged");
                records.take(Err(damage), table.name, Some(actor))?;
            }
        }
    }
    Ok(())
}

/// Whose a request is if the damage is in the number of its actor: nothing counts an actor's requests, so nobody would miss it.
fn owners(connection: &Connection, place: &Place<'_>, row: &Row<'_>) -> Result<Vec<ActorKey>> {
    let fail = |error| fault::of_read(&error, place.file);
    let mut statement = connection.prepare("SELECT actor FROM actors").map_err(fail)?;
    let actors = statement.query_map([], |row| row.get::<_, i64>(0)).map_err(fail)?;
    let mut owners = Vec::new();
    for actor in actors {
        let actor = actor.map_err(fail)?.cast_unsigned();
        if place.is_request_of(row, actor) {
            owners.push(ActorKey::from_number(actor));
        }
    }
    Ok(owners)
}

/// What the rows of actors say that they keep, against what is there: rows that are missing show here.
fn usage(connection: &Connection, file: &str, records: &mut Records) -> Result<()> {
    const COUNTED: &str = "SELECT
      (SELECT count(*) FROM state WHERE actor = ?1), (SELECT coalesce(sum(length(key) + length(value)), 0) FROM state WHERE actor = ?1),
      (SELECT count(*) FROM timers WHERE actor = ?1),
      (SELECT count(*) FROM sealed_keys WHERE actor = ?1), (SELECT count(*) FROM mailbox WHERE actor = ?1)";
    let fail = |error| fault::of_read(&error, file);
    let outgoing = outgoing(connection).map_err(fail)?;
    let place = Place { file, table: "actors" };
    let mut actors = connection.prepare(select!(actors "")).map_err(fail)?;
    let mut counted = connection.prepare(COUNTED).map_err(fail)?;
    let mut rows = actors.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        // One that cannot be read was found before.
        let Ok(info) = place.actor(row) else { continue };
        let said = info.lease.usage;
        let said = [said.state_keys, said.state_bytes, said.timers, said.sealed_keys, said.queued, said.outbox];
        let actor = info.lease.actor;
        let key = actor.number().cast_signed();
        let mut found = counted.query_row([key], numbers).map_err(fail)?;
        found.push(outgoing.get(&key).copied().unwrap_or(0));
        if found != said {
            let what = format!(
                "keeps {found:?} where its row says {said:?} (keys, bytes, timers, sealed keys, queued, outgoing)"
            );
            records.take(Err(place.row_damage(row, &what)), "actors", Some(actor))?;
        }
    }
    Ok(())
}

/// How many messages of each actor are in the outbox, which has no index by actor.
fn outgoing(connection: &Connection) -> rusqlite::Result<HashMap<i64, u64>> {
    let mut statement = connection.prepare("SELECT actor, count(*) FROM outbox GROUP BY actor")?;
    let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    counts.collect()
}

fn numbers(row: &Row<'_>) -> rusqlite::Result<Vec<u64>> {
    let columns = row.as_ref().column_count();
    (0..columns).map(|index| row.get::<_, i64>(index).map(i64::cast_unsigned)).collect()
}
