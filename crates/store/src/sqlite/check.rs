//! Looking for damage: first the structure of the file, then every record against its checksum, then what actors are said to keep
//! against what they keep.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use rusqlite::{Connection, Row};

use crate::contract::Report;
use crate::error::{Damage, StoreError};
use crate::limits::DAMAGE_LISTED_MAX;
use crate::model::ActorKey;

use super::decode::{Place, select};
use super::fault;
use super::quarantine::{self, Finding, Key};

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

/// Damaged requests whose owners are looked for: each is compared with every actor, some 50 ns apiece.
const OWNERS_SOUGHT_MAX: u64 = 100;

/// What is damaged of the records.
#[derive(Default)]
pub(super) struct Records {
    pub(super) count: u64,
    /// The first findings, as many as were asked for.
    pub(super) findings: Vec<Finding>,
    /// How many more there are.
    pub(super) more: u64,
    /// In what and whose all of them are, also of those that are only counted.
    pub(super) tables: BTreeSet<&'static str>,
    pub(super) actors: BTreeSet<ActorKey>,
    keep: usize,
    /// The keys of all actors, once somebody has to be looked for.
    all_actors: Option<Vec<u64>>,
    sought: u64,
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
    let mut report = quarantine::report(records(connection, file, DAMAGE_LISTED_MAX)?);
    damage.into_iter().for_each(|damage| report.add(damage));
    Ok(report)
}

/// Every record against its checksum, and what actors keep against what their rows say. Up to `keep` findings are kept, the rest is counted.
pub(super) fn records(connection: &Connection, file: &str, keep: usize) -> Result<Records> {
    let mut records = Records { keep, ..Records::default() };
    for table in &TABLES {
        let place = Place { file, table: table.name };
        let read = table_rows(connection, &place, table, &mut records);
        records.take(read, table.name, None, None)?;
    }
    let counted = usage(connection, file, &mut records);
    records.take(counted, USAGE, None, None)?;
    Ok(records)
}

impl Records {
    /// Damage is a finding, anything else ends the check.
    fn take(
        &mut self,
        result: Result<()>,
        table: &'static str,
        actor: Option<ActorKey>,
        key: Option<Key>,
    ) -> Result<()> {
        match result {
            Err(StoreError::Corrupt(damage)) => {
                self.tables.insert(table);
                self.actors.extend(actor);
                if self.findings.len() < self.keep {
                    self.findings.push(Finding { damage: *damage, table, actor, key });
                } else {
                    self.more += 1;
                }
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
        let values = (0..table.key.len()).map(|column| row.get(column));
        let values = values.collect::<rusqlite::Result<_>>().map_err(fail)?;
        let key = (!table.key.is_empty()).then_some((table.key, values));
        records.take(read, table.name, named.map(ActorKey::from_number), key)?;
        if table.name == "requests" {
            for actor in records.owners(connection, place, row)? {
                let damage = place.row_damage(row, "the actor in its key is damaged");
                records.take(Err(damage), table.name, Some(actor), None)?;
            }
        }
    }
    Ok(())
}

impl Records {
    /// Whose a request is if the damage is in the number of its actor: nothing counts an actor's requests, so nobody would miss it.
    fn owners(&mut self, connection: &Connection, place: &Place<'_>, row: &Row<'_>) -> Result<Vec<ActorKey>> {
        if self.sought >= OWNERS_SOUGHT_MAX {
            return Ok(Vec::new());
        }
        self.sought += 1;
        let actors = match &mut self.all_actors {
            Some(actors) => actors,
            none => none.insert(all_actors(connection).map_err(|error| fault::of_read(&error, place.file))?),
        };
        let Some(is_of) = place.request_of(row) else { return Ok(Vec::new()) };
        Ok(actors.iter().filter(|actor| is_of(**actor)).map(|actor| ActorKey::from_number(*actor)).collect())
    }
}

fn all_actors(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection.prepare("SELECT actor FROM actors")?;
    let actors = statement.query_map([], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?;
    actors.collect()
}

/// The name under which it is a finding that an actor keeps something else than its row says: the row itself is sound.
const USAGE: &str = "usage";

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
            records.take(Err(place.row_damage(row, &what)), USAGE, Some(actor), None)?;
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
