use std::time::{Duration, SystemTime};

use tokio_postgres::{Client, Error};

/// How long the server gets to end a process of its own: it notices at its next step.
const END: Duration = Duration::from_secs(2);

/// The process of the server behind a connection. A process that waits for a standby does not notice that its client has
/// gone, holds its locks, and no timeout ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    pid: i32,
    /// Since when: numbers of processes are used again, and another server has its own.
    since: SystemTime,
}

impl Backend {
    pub(super) async fn of(client: &Client) -> Result<Self, Error> {
        const ASKED: &str = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let row = client.query_one(ASKED, &[]).await?;
        Ok(Self { pid: row.try_get(0)?, since: row.try_get(1)? })
    }

    /// Ends those that are still there. Their role is that of the client, so it may.
    pub(super) async fn end(client: &Client, all: &[Self]) -> Result<(), Error> {
        const END_ALL: &str = "SELECT pg_terminate_backend(a.pid, $3) FROM pg_stat_activity a \
             JOIN unnest($1::int[], $2::timestamptz[]) u(pid, since) ON a.pid = u.pid AND a.backend_start = u.since";
        let (pids, since): (Vec<i32>, Vec<SystemTime>) = all.iter().map(|one| (one.pid, one.since)).unzip();
        let patience = i64::try_from(END.as_millis()).unwrap_or(i64::MAX);
        client.query(END_ALL, &[&pids, &since, &patience]).await.map(drop)
    }
}
