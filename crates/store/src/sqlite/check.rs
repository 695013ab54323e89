//! Looking for damage: first the structure of the file, then every record against its checksum, then what actors are said to keep
//! against what they keep.

use rusqlite::{Connection, Row};

use crate::contract::Report;
use crate::error::{Damage, StoreError};
use crate::limits::DAMAGE_LISTED_MAX;

use super::decode::{Place, select};
use super::fault;

/// What SQLite finds wrong with the pages of the file, by its own check of all trees.
pub(super) fn structure(connection: &Connection, file: &str) -> Result<Vec<Damage>, StoreError> {
    let fail = |error| fault::of_read(&error, file);
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({DAMAGE_LISTED_MAX})")).map_err(fail)?;
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

type Decode = fn(&Place<'_>, &Row<'_>) -> Result<(), StoreError>;

/// Each table: its name, a query for its whole rows, and what checks one.
const TABLES: [(&str, &str, Decode); 10] = [
    ("counters", select!(counters ""), |place, row| place.counters(row).map(drop)),
    ("actors", select!(actors ""), |place, row| place.actor(row).map(drop)),
    ("mailbox", select!(mailbox ""), |place, row| place.queued(row).map(drop)),
    ("requests", select!(requests ""), |place, row| place.request(row).map(drop)),
    ("state", select!(state ""), |place, row| place.state(row).map(drop)),
    ("outbox", select!(outbox ""), |place, row| place.out(row).map(drop)),
    ("timers", select!(timers ""), |place, row| place.timer(row).map(drop)),
    ("letters", select!(letters ""), |place, row| place.letter(row).map(drop)),
    ("sealed_keys", select!(sealed_keys ""), |place, row| place.sealed_key(row).map(drop)),
    ("notes", select!(notes ""), |place, row| place.note(row).map(drop)),
];

/// Everything, as it was at one moment.
pub(super) fn check(connection: &Connection, file: &str) -> Result<Report, StoreError> {
    let fail = |error| fault::of_read(&error, file);
    connection.execute_batch("BEGIN").map_err(fail)?;
    let report = look(connection, file);
    connection.execute_batch("COMMIT").map_err(fail)?;
    report
}

fn look(connection: &Connection, file: &str) -> Result<Report, StoreError> {
    let mut report = Report::default();
    match structure(connection, file) {
        Ok(found) => found.into_iter().for_each(|damage| report.add(damage)),
        Err(error) => take(&mut report, error)?,
    }
    for (table, sql, decode) in TABLES {
        let place = Place { file, table };
        if let Err(error) = table_rows(connection, &place, sql, decode, &mut report) {
            take(&mut report, error)?;
        }
    }
    if report.damage.is_empty()
        && let Err(error) = usage(connection, file, &mut report)
    {
        take(&mut report, error)?;
    }
    Ok(report)
}

/// Damage is a finding, anything else ends the check.
fn take(report: &mut Report, error: StoreError) -> Result<(), StoreError> {
    match error {
        StoreError::Corrupt(damage) => {
            report.add(*damage);
            Ok(())
        }
        other => Err(other),
    }
}

fn table_rows(
    connection: &Connection,
    place: &Place<'_>,
    sql: &str,
    decode: Decode,
    report: &mut Report,
) -> Result<(), StoreError> {
    let fail = |error| fault::of_read(&error, place.file);
    let mut statement = connection.prepare(sql).map_err(fail)?;
    let mut rows = statement.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        report.records += 1;
        if let Err(error) = decode(place, row) {
            take(report, error)?;
        }
    }
    Ok(())
}

/// What the rows of actors say that they keep, against what is there: rows that are missing show here.
fn usage(connection: &Connection, file: &str, report: &mut Report) -> Result<(), StoreError> {
    const COUNTED: &str = "SELECT
      (SELECT count(*) FROM state WHERE actor = ?1), (SELECT coalesce(sum(length(key) + length(value)), 0) FROM state WHERE actor = ?1),
      (SELECT count(*) FROM timers WHERE actor = ?1), (SELECT count(*) FROM outbox WHERE actor = ?1),
      (SELECT count(*) FROM sealed_keys WHERE actor = ?1), (SELECT count(*) FROM mailbox WHERE actor = ?1)";
    let fail = |error| fault::of_read(&error, file);
    let place = Place { file, table: "actors" };
    let mut actors = connection.prepare(select!(actors "")).map_err(fail)?;
    let mut counted = connection.prepare(COUNTED).map_err(fail)?;
    let mut rows = actors.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let lease = place.actor(row)?.lease;
        let said = lease.usage;
        let said = [said.state_keys, said.state_bytes, said.timers, said.outbox, said.sealed_keys, said.queued];
        let key = lease.actor.number().cast_signed();
        let found = counted
            .query_row([key], |row| (0..said.len()).map(|index| row.get(index)).collect::<Result<Vec<i64>, _>>())
            .map_err(fail)?;
        let found: Vec<u64> = found.into_iter().map(i64::cast_unsigned).collect();
        if found != said {
            let what = format!(
                "keeps {found:?} where its row says {said:?} (keys, bytes, timers, outgoing, sealed keys, queued)"
            );
            let (file, row) = (file.to_owned(), format!("actor {}", lease.actor));
            report.add(Damage { file, table: "actors".to_owned(), row, what });
        }
    }
    Ok(())
}
