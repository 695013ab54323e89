use std::sync::Arc;

use tokio::time::{Instant, timeout};
use tokio_postgres::Error;

use crate::model::Durability;
use crate::postgres::answer::synchronous_commit;
use crate::postgres::backend::Backend;
use crate::postgres::options::Chain;
use crate::postgres::session::BackOff;

use super::{AT_ONCE, Made, Trouble, Writer, read};

const RESUME: &str = "SELECT w.incarnation, w.last_group, a.code, a.n, a.b FROM resume($1, $2) w \
     LEFT JOIN LATERAL unnest(w.answers) WITH ORDINALITY a (code, n, b, place) ON true ORDER BY place";

/// What a new connection finds: the group that the one before was sent, if it was made.
type Found = Result<Option<Made>, Trouble>;

impl Writer {
    /// Makes sure that there is a connection. If it is a new one, and the group that the last one was sent was made, it is
    /// found; if not it never will be made.
    pub(super) async fn ready(&mut self, class: Durability, sent: bool, deadline: Instant) -> Found {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(None);
        }
        let mut back_off = BackOff::new();
        loop {
            let limit = deadline.saturating_duration_since(Instant::now());
            let cause = match timeout(limit, self.reconnect(class)).await {
                Ok(Ok(found)) => return found,
                Ok(Err(cause)) => cause,
                Err(_) => "the server does not answer".into(),
            };
            if Instant::now() >= deadline {
                return Err(if sent { Trouble::Unknown(cause) } else { Trouble::Unreachable(cause) });
            }
            back_off.pause().await;
        }
    }

    async fn reconnect(&mut self, class: Durability) -> Result<Found, Arc<str>> {
        let session = self.common.connector.connect().await.map_err(text)?;
        let backend = Backend::of(&session.client).await.map_err(text)?;
        // They may hold the row of this writer for as long as the standbys are away.
        Backend::end(&session.client, &self.backends).await.map_err(text)?;
        self.backends = vec![backend];
        let class = class.min(self.common.promise.measure(&session).await.map_err(text)?);
        let statement = session.statement(RESUME).await.map_err(text)?;
        let sync = synchronous_commit(class);
        let Ok(rows) = timeout(AT_ONCE, session.client.query(&statement, &[&self.id, &sync])).await else {
            if class == Durability::Quorum {
                self.common.promise.doubt();
            }
            return Err("the server does not answer in time".into());
        };
        let rows = rows.map_err(text)?;
        let Some(first) = rows.first() else {
            return Ok(Err(Trouble::Failed("the server does not know this store any more".into())));
        };
        let found: i64 = first.try_get(1).map_err(text)?;
        self.incarnation = first.try_get(0).map_err(text)?;
        if found < self.durable_group {
            let cause =
                format!("the server has lost groups {} to {} that it acknowledged", found + 1, self.durable_group);
            return Ok(Err(Trouble::Failed(cause.into())));
        }
        // Replication may have been switched off in between.
        let holds = class.min(self.common.promise.measure(&session).await.map_err(text)?);
        let made = match found - self.last_group {
            1 => Some(Made { answers: read(&rows, 2).map_err(text)?, holds }),
            ..=0 => {
                // Fewer: what was to be in memory only is gone with the server.
                self.last_group = found;
                None
            }
            _ => return Ok(Err(Trouble::Failed("the server has groups of this store that it never sent".into()))),
        };
        self.session = Some(session);
        Ok(Ok(made))
    }
}

fn text(error: Error) -> Arc<str> {
    Chain(&error).to_string().into()
}
