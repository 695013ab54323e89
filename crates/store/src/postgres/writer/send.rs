use std::pin::pin;

use futures_util::future::join;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use crate::model::Durability;
use crate::postgres::answer::{Answer, synchronous_commit};
use crate::postgres::group::{Group, Held};
use crate::postgres::session::Session;

use super::{AT_ONCE, Made, STANDBYS_BACK, Writer};

const APPLY: &str = "SELECT code, n, b FROM unnest(apply_2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
     $17, $18, $19, $20)) WITH ORDINALITY a (code, n, b, place) ORDER BY place";
const LOCKED: &str = "SELECT kind, id FROM locked($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const REPLICATED: &str = "SELECT current_setting('synchronous_standby_names') <> ''";

impl Writer {
    /// One round trip. `None` if there was no answer in time.
    pub(super) async fn send(&self, group: &Group, class: Durability) -> Result<Made, Option<Error>> {
        let Some(session) = &self.session else {
            return Err(None);
        };
        let statement = session.statement(APPLY).await.map_err(Some)?;
        let next = self.last_group + 1;
        let sync = synchronous_commit(class);
        let slices = group.slices();
        let params = group.params(&[&self.id, &self.incarnation, &next, &sync, &self.keep], &slices);
        match self.in_time(class, ask(session, &statement, &params, class)).await {
            Some(made) => made.map_err(Some),
            None => Err(None),
        }
    }

    /// What others hold of what a group needs, if the server says that there is something.
    pub(super) async fn held(&self, group: &Group) -> Option<Held> {
        let session = self.session.as_ref()?;
        let slices = group.slices();
        let asked = async {
            let statement = session.statement(LOCKED).await?;
            let rows = session.client.query(&statement, &group.needed(&slices)).await?;
            let held: Result<Vec<_>, Error> = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
            held.map(Held::of)
        };
        timeout(AT_ONCE, asked).await.ok()?.ok()
    }

    /// What the server answers, unless it takes too long, or longer than standbys that have gone need to come back.
    async fn in_time<T>(&self, class: Durability, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(answer);
        let mut left = self.common.answer_timeout();
        while !left.is_zero() {
            let step = left.min(STANDBYS_BACK);
            if let Ok(answer) = timeout(step, &mut answer).await {
                return Some(answer);
            }
            if class > self.common.strongest() {
                return None;
            }
            left -= step;
        }
        None
    }
}

/// What the server answers to a group. To switch replication off lets those go that wait for it, as if the standbys had
/// answered: so this asks in the same breath whether it is still on.
async fn ask(
    session: &Session,
    statement: &Statement,
    params: &[&(dyn ToSql + Sync)],
    class: Durability,
) -> Result<Made, Error> {
    if class < Durability::Quorum {
        let rows = session.client.query(statement, params).await?;
        return Ok(Made { answers: read(&rows, 0)?, holds: class });
    }
    let names = session.statement(REPLICATED).await?;
    let (rows, replicated) = join(session.client.query(statement, params), session.client.query_one(&names, &[])).await;
    let answers = read(&rows?, 0)?;
    let holds = if replicated?.try_get(0)? { class } else { Durability::Fsync };
    Ok(Made { answers, holds })
}

pub(super) fn read(rows: &[Row], column: usize) -> Result<Vec<Answer>, Error> {
    rows.iter().map(|row| Answer::from_row(row, column)).collect()
}
