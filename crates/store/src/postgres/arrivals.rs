use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_postgres::Error;

use crate::limits::BATCH_ITEMS_MAX;
use crate::model::ActorKey;
use crate::receipt::{Done, Receipt};

use super::Common;
use super::readers::Readers;

/// How often the server is asked what others have put into mailboxes: a look at an index of what nobody has seen, which is a few rows. To be
/// told by `NOTIFY` instead would let the commits of all nodes take turns, each with its wait for the disk.
const LOOK_EVERY: Duration = Duration::from_millis(100);

const ARRIVALS: &str = "SELECT actor, seq FROM arrivals WHERE writer = $1 ORDER BY actor LIMIT $2";
const SEEN: &str = "SELECT seen($1, $2, $3)";

/// Who wants to hear what others have put into mailboxes.
#[derive(Default)]
pub(super) struct Arrivals {
    waiting: Mutex<Option<Done<Vec<ActorKey>>>>,
    wake: Notify,
}

impl Arrivals {
    /// Asks. Whoever asked before hears that the store is closed.
    pub(super) fn ask(&self) -> Receipt<Vec<ActorKey>> {
        let (done, receipt) = Receipt::pending();
        let before = self.waiting.lock().replace(done);
        drop(before);
        self.wake.notify_one();
        receipt
    }

    /// Answers nobody any more.
    pub(super) fn close(&self) {
        let waiting = self.waiting.lock().take();
        drop(waiting);
        self.wake.notify_one();
    }

    fn is_asked(&self) -> bool {
        self.waiting.lock().as_ref().is_some_and(|done| !done.is_given_up())
    }

    /// Answers whoever waits, if somebody still does.
    fn answer(&self, actors: Vec<ActorKey>) -> bool {
        let waiting = self.waiting.lock().take();
        let Some(done) = waiting.filter(|done| !done.is_given_up()) else { return false };
        done.answer(Ok(actors));
        true
    }
}

/// Looks while somebody waits. What was answered counts as seen when somebody asks again, so nothing is lost in between.
pub(super) async fn look(common: Arc<Common>, readers: Arc<Readers>) {
    let mut told = Vec::new();
    while !common.queue.is_closed() {
        if !common.arrivals.is_asked() {
            common.arrivals.wake.notified().await;
            continue;
        }
        // If the server does not answer there is another look.
        let found = look_once(&common, &readers, &mut told).await.unwrap_or_default();
        if found.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            let actors = found.iter().map(|(actor, _)| ActorKey::from_number(actor.cast_unsigned()));
            if common.arrivals.answer(actors.collect()) {
                told = found;
            }
        }
    }
    common.arrivals.close();
}

type Seen = Vec<(i64, i64)>;

async fn look_once(common: &Common, readers: &Readers, told: &mut Seen) -> Option<Seen> {
    let session = readers.first().await.ok()?;
    let writer = common.writer.load(Ordering::Relaxed);
    let looked = async {
        if !told.is_empty() {
            let (actors, seqs): (Vec<i64>, Vec<i64>) = told.iter().copied().unzip();
            let seen = session.statement(SEEN).await?;
            session.client.query(&seen, &[&writer, &actors, &seqs]).await?;
            told.clear();
        }
        let arrivals = session.statement(ARRIVALS).await?;
        let rows = session.client.query(&arrivals, &[&writer, &(BATCH_ITEMS_MAX as i64)]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<Seen, Error>>()
    };
    readers.in_time(&session, looked).await
}
