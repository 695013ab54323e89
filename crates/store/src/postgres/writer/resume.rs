use std::sync::Arc;

use tokio::time::{Instant, timeout};
use tokio_postgres::{Error, Row};

use crate::model::Durability;
use crate::postgres::answer::synchronous_commit;
use crate::postgres::backend::Backend;
use crate::postgres::error::Chain;
use crate::postgres::session::{BackOff, Session};

use super::send::read;
use super::{AT_ONCE, Made, Patience, Trouble, Writer};

const RESUME: &str = "SELECT w.incarnation, w.last_group, a.code, a.n, a.b FROM resume($1, $2) w \
     LEFT JOIN LATERAL unnest(w.answers) WITH ORDINALITY a (code, n, b, place) ON true ORDER BY place";

/// After a server has lost groups, its numbers are those of before. Nodes hold messages under the numbers that came after, and commits that follow
/// the lost ones: none of these may be given out again or be the next. Nobody holds anything of an actor that was released. 2³² is more than a server makes in the second that it may lose, and leaves
/// room for 2³¹ such crashes.
const PART: &str = "BEGIN; SET LOCAL synchronous_commit = on; \
     UPDATE actors SET seq = seq + 4294967296, revision = revision + 4294967296 WHERE until > 0; \
     UPDATE outbox_end SET last = last + 4294967296; COMMIT";

/// What a new connection finds: the group that the one before was sent, if it was made.
type Found = Result<Option<Made>, Trouble>;

impl Writer {
    /// Makes sure that there is a connection. If it is a new one, and the group that the last one was sent was made, it is
    /// found; if not it never will be made.
    pub(super) async fn ready(&mut self, class: Durability, sent: bool, patience: Patience) -> Found {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(None);
        }
        self.lost.get_or_insert_with(Instant::now);
        let mut back_off = BackOff::new();
        loop {
            let limit = patience.deadline.saturating_duration_since(Instant::now());
            let cause = match timeout(limit, self.reconnect(class, sent)).await {
                Ok(Ok(found)) => return found,
                Ok(Err(cause)) => cause,
                Err(_) => "the server does not answer".into(),
            };
            if patience.is_over() {
                return Err(if sent { Trouble::Unknown(cause) } else { Trouble::Unreachable(cause) });
            }
            back_off.pause().await;
        }
    }

    async fn reconnect(&mut self, class: Durability, sent: bool) -> Result<Found, Arc<str>> {
        let session = self.connect().await.map_err(text)?;
        let class = class.min(self.common.promise.measure(&session).await.map_err(text)?);
        let rows = self.resume(&session, class).await?;
        let Some(first) = rows.first() else {
            return self.revive(&session).await;
        };
        let found: i64 = first.try_get(1).map_err(text)?;
        if let Err(trouble) = self.check(found) {
            return Ok(Err(trouble));
        }
        // Replication may have been switched off in between.
        let holds = class.min(self.common.promise.measure(&session).await.map_err(text)?);
        // A writer that had been retired has its row back without the answers.
        let answered = first.try_get::<_, Option<i64>>(2).map_err(text)?.is_some();
        let answers = if answered { read(&rows, 2).map_err(text)? } else { Vec::new() };
        self.incarnation = first.try_get(0).map_err(text)?;
        if found < self.last_group {
            // What was to be in memory only is gone with the server.
            timeout(AT_ONCE, session.client.batch_execute(PART))
                .await
                .map_err(|_| "the server does not answer in time")?
                .map_err(text)?;
        }
        self.session = Some(session);
        self.lost = None;
        if found > self.last_group && answered {
            return Ok(Ok(Some(Made { answers, holds })));
        }
        let lost = found > self.last_group && sent;
        self.last_group = found;
        Ok(if lost { Err(Trouble::Unknown("what the server answered is lost".into())) } else { Ok(None) })
    }

    /// A new connection, and the end of those before it: they may hold the row of this writer for as long as the standbys are away.
    async fn connect(&mut self) -> Result<Session, Error> {
        let session = self.common.connector.connect().await?;
        let backend = Backend::of(&session.client).await?;
        Backend::end(&session.client, &self.backends).await?;
        self.backends = vec![backend];
        Ok(session)
    }

    async fn resume(&self, session: &Session, class: Durability) -> Result<Vec<Row>, Arc<str>> {
        let statement = session.statement(RESUME).await.map_err(text)?;
        let sync = synchronous_commit(class);
        let resumed = timeout(AT_ONCE, session.client.query(&statement, &[&self.id, &sync])).await;
        if resumed.is_err() && class == Durability::Quorum {
            self.common.promise.doubt();
        }
        resumed.map_err(|_| Arc::from("the server does not answer in time"))?.map_err(text)
    }

    /// Whether the last group that the server has can be this writer's last.
    fn check(&self, found: i64) -> Result<(), Trouble> {
        if found < self.durable_group {
            let cause =
                format!("the server has lost groups {} to {} that it acknowledged", found + 1, self.durable_group);
            return Err(Trouble::Failed(cause.into()));
        }
        if found > self.last_group + 1 {
            return Err(Trouble::Failed("the server has groups of this store that it never sent".into()));
        }
        Ok(())
    }

    /// The row of this writer is not there. If it was taken out because nobody had seen it for a day, it comes back.
    async fn revive(&self, session: &Session) -> Result<Found, Arc<str>> {
        let row = session.client.query_one("SELECT revive($1, $2)", &[&self.id, &self.incarnation]).await;
        if row.and_then(|row| row.try_get(0)).map_err(text)? {
            return Err("the server had taken this store for one that is gone".into());
        }
        Ok(Err(Trouble::Failed("the server does not know this store any more".into())))
    }
}

fn text(error: Error) -> Arc<str> {
    Chain(&error).to_string().into()
}
