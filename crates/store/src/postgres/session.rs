use std::time::Duration;

use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Config, Error, NoTls, Socket, Statement};

use crate::model::Durability;

use super::tls::Tls;

/// The first wait before a server is tried again; each is twice as long as the one before.
const BACK_OFF_FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const BACK_OFF_LAST: Duration = Duration::from_secs(2);

/// How long a group waits for the rows of its actors. Others hold them for one wait for the disk, a hundredth of this; if one holds
/// them longer, those behind the same row are answered and the rest goes on.
const LOCK: Duration = Duration::from_secs(2);

/// How connections are made.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    pub(super) schema: String,
    pub(super) statement_timeout: Duration,
}

/// One connection, with the statements that it knows.
pub(super) struct Session {
    pub(super) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connector {
    pub(super) async fn connect(&self) -> Result<Session, Error> {
        let (client, driver) = match &self.tls {
            Some(tls) => drive(&self.config, tls.clone()).await?,
            None => drive(&self.config, NoTls).await?,
        };
        let session = Session { client, statements: Mutex::default(), driver };
        session.client.batch_execute(&self.settings()).await?;
        Ok(session)
    }

    /// Tables grow from nothing to millions of rows in seconds, faster than statistics follow: lookups go by the index,
    /// whatever the planner believes, and nothing is compiled for the cost that it computes then.
    fn settings(&self) -> String {
        let Self { schema, statement_timeout, .. } = self;
        let (timeout, lock) = (statement_timeout.as_millis(), LOCK.as_millis());
        format!(
            "SET search_path = \"{schema}\", pg_temp; SET statement_timeout = {timeout}; SET lock_timeout = {lock}; \
             SET default_transaction_isolation = 'read committed'; SET synchronous_commit = local; SET bytea_output = 'hex'; \
             SET enable_seqscan = off; SET jit = off; SET client_connection_check_interval = '5s'; \
             SET idle_in_transaction_session_timeout = '60s'"
        )
    }
}

/// A connection, and the task that moves its bytes.
async fn drive<T>(config: &Config, tls: T) -> Result<(Client, JoinHandle<()>), Error>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let (client, connection) = config.connect(tls).await?;
    let driver = tokio::spawn(async move {
        // Whoever waits for an answer hears of the error.
        drop(connection.await);
    });
    Ok((client, driver))
}

impl Session {
    /// A statement, prepared once.
    pub(super) async fn statement(&self, sql: &'static str) -> Result<Statement, Error> {
        let known = self.statements.lock().get(sql).cloned();
        match known {
            Some(statement) => Ok(statement),
            None => {
                let statement = self.client.prepare(sql).await?;
                self.statements.lock().insert(sql, statement.clone());
                Ok(statement)
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The strongest class that the server can promise now, and the end of its log. A quorum is as many standbys as
    /// `synchronous_standby_names` asks for, each of which has the log up to `from`.
    pub(super) async fn strongest(&self, from: PgLsn) -> Result<(Durability, PgLsn), Error> {
        const ASKED: &str = "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', \
             current_setting('synchronous_standby_names') <> '' AND coalesce(substring( \
             current_setting('synchronous_standby_names') FROM '(?i)^\\s*(?:(?:any|first)\\s+)?(\\d+)\\s*\\(')::bigint, 1) <= \
             (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND flush_lsn >= $1), \
             pg_current_wal_flush_lsn()";
        let row = self.client.query_one(ASKED, &[&from]).await?;
        let class = match (row.try_get(0)?, row.try_get(1)?) {
            (false, _) => Durability::Memory,
            (true, false) => Durability::Fsync,
            (true, true) => Durability::Quorum,
        };
        Ok((class, row.try_get(2)?))
    }
}

/// What an error of the driver says about the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is gone. What was sent may or may not have happened.
    Lost,
    /// Others hold what it needs.
    Locked,
    /// The server undid it because of what others did. Again.
    Again,
    /// The writer is not where it thought it was.
    Displaced,
    /// Synchronous replication was switched off.
    NoQuorum,
    /// The server undid it.
    Undone,
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::Lost;
        };
        if matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
            return Self::Lost;
        }
        let again = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        match db.code() {
            code if again.contains(code) => Self::Again,
            code if *code == SqlState::LOCK_NOT_AVAILABLE => Self::Locked,
            code if code.code() == "PH001" => Self::Displaced,
            code if code.code() == "PH002" => Self::NoQuorum,
            // After a failover the old server takes no writes.
            code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Self::Lost,
            _ => Self::Undone,
        }
    }
}

/// Waits that grow, each cut by chance so that nodes that lost the same server do not come back together.
#[derive(Debug)]
pub(super) struct BackOff {
    wait: Duration,
}

impl BackOff {
    pub(super) const fn new() -> Self {
        Self { wait: BACK_OFF_FIRST }
    }

    pub(super) async fn pause(&mut self) {
        let wait = self.next(chance());
        tokio::time::sleep(wait).await;
    }

    /// Between half of the wait and all of it.
    fn next(&mut self, chance: u64) -> Duration {
        let half = self.wait / 2;
        let cut = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        let wait = half + Duration::from_micros(chance % cut);
        self.wait = (self.wait * 2).min(BACK_OFF_LAST);
        wait
    }
}

/// A number that differs from node to node: the seed of the standard library's hash maps.
fn chance() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests;
