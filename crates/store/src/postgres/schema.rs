//! The tables and functions in the database, and how older ones become these.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::limits::MESSAGE_OVERHEAD_BYTES;

use super::error::PostgresError;

/// The version that this program writes.
const VERSION: i32 = 2;
/// The oldest server that can: it assigns to fields of elements of arrays.
const SERVER_VERSION_MIN: i32 = 14;

/// What makes each version of the one before it, from an empty schema on. Entries are never changed, only added; one that
/// changes what a function does gives it a new name, because nodes of the version before are still running.
const MIGRATIONS: [&[&str]; 2] = [
    &[
        include_str!("sql/tables.sql"),
        include_str!("sql/queue.sql"),
        include_str!("sql/letters.sql"),
        include_str!("sql/owners.sql"),
        include_str!("sql/commit.sql"),
        include_str!("sql/apply.sql"),
    ],
    &[
        include_str!("sql/deliver.sql"),
        include_str!("sql/writers_2.sql"),
        include_str!("sql/locked.sql"),
        include_str!("sql/arrivals.sql"),
        include_str!("sql/apply_2.sql"),
    ],
];

/// Makes the schema that of [`VERSION`], all or nothing. Of several nodes that come at once one does it and the others wait.
pub(super) async fn prepare(client: &mut Client, schema: &str) -> Result<(), PostgresError> {
    let row = client.query_one("SELECT current_setting('server_version')", &[]).await.map_err(PostgresError::of)?;
    let found: String = row.get(0);
    let major = found.split(|byte: char| !byte.is_ascii_digit()).next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: i32| major < SERVER_VERSION_MIN) {
        return Err(PostgresError::TooOld { found });
    }
    if version(client, schema).await? == VERSION {
        return Ok(());
    }
    migrate(client, schema).await
}

async fn version(client: &Client, schema: &str) -> Result<i32, PostgresError> {
    match client.query_opt(&format!("SELECT version FROM \"{schema}\".meta"), &[]).await {
        Ok(row) => known(row.map_or(0, |row| row.get(0))),
        Err(error)
            if [Some(&SqlState::UNDEFINED_TABLE), Some(&SqlState::INVALID_SCHEMA_NAME)].contains(&error.code()) =>
        {
            Ok(0)
        }
        Err(error) => Err(PostgresError::of(error)),
    }
}

fn known(found: i32) -> Result<i32, PostgresError> {
    if found > VERSION { Err(PostgresError::Newer { found, known: VERSION }) } else { Ok(found) }
}

async fn migrate(client: &mut Client, schema: &str) -> Result<(), PostgresError> {
    let fail = PostgresError::of;
    let transaction = client.transaction().await.map_err(fail)?;
    let lock = i64::from(crate::record::checksum("schema", &[schema.as_bytes()])) << 8;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&lock]).await.map_err(fail)?;
    let begin = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"; SET LOCAL search_path = \"{schema}\", pg_temp");
    transaction.batch_execute(&begin).await.map_err(fail)?;
    // Another node may have been faster.
    let made = transaction.query_one("SELECT to_regclass('meta') IS NOT NULL", &[]).await.map_err(fail)?;
    let found = match made.get(0) {
        true => transaction.query_one("SELECT version FROM meta", &[]).await.map_err(fail)?.get(0),
        false => 0,
    };
    for step in MIGRATIONS.iter().skip(usize::try_from(known(found)?).unwrap_or(0)) {
        for part in *step {
            let part = part.replace("@OVERHEAD@", &MESSAGE_OVERHEAD_BYTES.to_string());
            transaction.batch_execute(&part).await.map_err(fail)?;
        }
    }
    let set = "INSERT INTO meta VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version";
    transaction.execute(set, &[&VERSION]).await.map_err(fail)?;
    transaction.commit().await.map_err(fail)
}
