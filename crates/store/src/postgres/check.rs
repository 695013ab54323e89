//! Looking for damage: every record against its checksum, then what actors and counters are said to keep against what is there. All
//! of it as it was at one moment, on a connection of its own, while the store goes on.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::Transaction;

use crate::contract::Report;
use crate::error::{Damage, StoreError};

use super::Common;
use super::error::Chain;
use super::rows::Line;

type Decode = fn(&Line<'_>) -> Result<(), StoreError>;

const TABLES: [(&str, &str, Decode); 9] = [
    ("actors", "SELECT * FROM actors", |line| line.info().map(drop)),
    ("mailbox", "SELECT * FROM mailbox", |line| line.queued().map(drop)),
    ("requests", "SELECT * FROM requests", |line| line.recorded().map(drop)),
    ("state", "SELECT * FROM state", |line| line.state().map(drop)),
    ("outbox", "SELECT * FROM outbox", |line| line.posted().map(drop)),
    ("timers", "SELECT * FROM timers", |line| line.timer().map(drop)),
    ("letters", "SELECT * FROM letters", |line| line.letter().map(drop)),
    ("sealed_keys", "SELECT * FROM sealed_keys", |line| line.sealed_key().map(drop)),
    ("notes", "SELECT * FROM notes", |line| line.note().map(drop)),
];

/// What does not fit together: which row, and what is wrong with it.
const SUMS: [(&str, &str); 3] = [
    ("actors", include_str!("sql/check_actors.sql")),
    ("requests", include_str!("sql/check_requests.sql")),
    ("writers", include_str!("sql/check_writers.sql")),
];

const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0; \
     SET LOCAL enable_seqscan = on; SET LOCAL idle_in_transaction_session_timeout = 0";

pub(super) async fn check(common: &Common) -> Result<Report, StoreError> {
    let fail = |error: tokio_postgres::Error| StoreError::Read { cause: Chain(&error).to_string().into() };
    let mut session = common.connector.connect().await.map_err(fail)?;
    let transaction = session.client.transaction().await.map_err(fail)?;
    transaction.batch_execute(BEGIN).await.map_err(fail)?;
    let mut report = Report::default();
    for (table, sql, decode) in TABLES {
        look(&transaction, &common.server, (table, sql), decode, &mut report).await?;
    }
    if report.damage.is_empty() {
        for (table, sql) in SUMS {
            for row in transaction.query(sql, &[]).await.map_err(fail)? {
                let (file, table) = (common.server.clone(), table.to_owned());
                report.add(Damage { file, table, row: row.get(0), what: row.get(1) });
            }
        }
    }
    Ok(report)
}

async fn look(
    transaction: &Transaction<'_>,
    server: &str,
    (table, sql): (&'static str, &str),
    decode: Decode,
    report: &mut Report,
) -> Result<(), StoreError> {
    let found = async {
        let none: [i64; 0] = [];
        let mut rows = pin!(transaction.query_raw(sql, none).await?);
        while let Some(row) = rows.try_next().await? {
            report.records += 1;
            match decode(&Line { server, table, row: &row }) {
                Ok(()) => {}
                Err(StoreError::Corrupt(damage)) => report.add(*damage),
                Err(other) => return Ok(Err(other)),
            }
        }
        Ok(Ok(()))
    };
    match found.await {
        Ok(result) => result,
        Err(error) => refused(&error, server, table, report),
    }
}

/// Pages that the server itself finds damaged are a finding; the check cannot go on behind them.
fn refused(error: &tokio_postgres::Error, server: &str, table: &str, report: &mut Report) -> Result<(), StoreError> {
    let what = Chain(error).to_string();
    let corrupt = [tokio_postgres::error::SqlState::DATA_CORRUPTED, tokio_postgres::error::SqlState::INDEX_CORRUPTED];
    if error.code().is_some_and(|code| corrupt.contains(code)) {
        report.add(Damage { file: server.to_owned(), table: table.to_owned(), row: "pages".to_owned(), what });
        return Ok(());
    }
    Err(StoreError::Read { cause: what.into() })
}
