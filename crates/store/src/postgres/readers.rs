use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::error::StoreError;
use crate::receipt::Receipt;

use super::Common;
use super::error::Chain;
use super::session::{BackOff, Fault, Session};

/// Reads that may be under way; others wait. Beyond, connections are busy anyway and memory would go to answers.
const READS_MAX: usize = 1024;

/// One value of a statement.
pub(super) type Param = Box<dyn ToSql + Sync + Send>;

/// Connections for reads, which are sent one behind the other without waiting for answers.
pub(super) struct Readers {
    common: Arc<Common>,
    slots: Vec<Slot>,
    next: AtomicUsize,
    permits: Semaphore,
}

/// A connection, or the place of one. The lock is held while one is made, so that one is made.
#[derive(Default)]
struct Slot(Mutex<Option<Arc<Session>>>);

impl Slot {
    /// Makes room for a new connection, unless there is one already.
    async fn leave(&self, broken: Option<Arc<Session>>) {
        let mut held = self.0.lock().await;
        if let (Some(is), Some(broken)) = (held.as_ref(), broken)
            && Arc::ptr_eq(is, &broken)
        {
            *held = None;
        }
    }
}

impl Readers {
    pub(super) fn new(common: Arc<Common>, connections: usize) -> Arc<Self> {
        let slots = (0..connections.max(1)).map(|_| Slot::default()).collect();
        let permits = Semaphore::new(READS_MAX);
        Arc::new(Self { common, slots, next: AtomicUsize::new(0), permits })
    }

    /// Asks, and answers with what `decode` makes of the rows.
    pub(super) fn read<T: Send + 'static>(
        self: &Arc<Self>,
        sql: &'static str,
        params: Vec<Param>,
        decode: impl FnOnce(&str, Vec<Row>) -> Result<T, StoreError> + Send + 'static,
    ) -> Receipt<T> {
        if self.common.queue.is_closed() {
            return Receipt::ready(Err(StoreError::Closed));
        }
        let (done, receipt) = Receipt::pending();
        let readers = Arc::clone(self);
        self.common.runtime.spawn(async move {
            // Those who ask are as many as there are handlers, and wait for their answers.
            let _permit = readers.permits.acquire().await;
            let rows = readers.rows(sql, &params).await;
            done.answer(rows.and_then(|rows| decode(&readers.common.server, rows)));
        });
        receipt
    }

    /// The rows, also if the connection breaks in between: reading twice is reading.
    pub(super) async fn rows(&self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>, StoreError> {
        let deadline = Instant::now() + self.common.give_up_after;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()];
        let mut back_off = BackOff::new();
        loop {
            let limit = self.common.answer_timeout().min(deadline.saturating_duration_since(Instant::now()));
            let mut used = None;
            let cause = match timeout(limit, self.ask(slot, &mut used, sql, &params)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if Fault::of(&error) != Fault::Lost => {
                    return Err(StoreError::Read { cause: Chain(&error).to_string().into() });
                }
                Ok(Err(error)) => Chain(&error).to_string(),
                Err(_) => "the server did not answer in time".to_owned(),
            };
            slot.leave(used).await;
            if Instant::now() >= deadline {
                return Err(StoreError::Read { cause: cause.into() });
            }
            back_off.pause().await;
        }
    }

    /// One of the connections.
    pub(super) async fn first(&self) -> Result<Arc<Session>, Error> {
        self.session(&self.slots[0]).await
    }

    /// What the server answers on that connection. If it takes too long, the connection makes way for another.
    pub(super) async fn in_time<T>(
        &self,
        session: &Arc<Session>,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Option<T> {
        match timeout(self.common.answer_timeout(), answer).await {
            Ok(answer) => answer.ok(),
            Err(_) => {
                self.slots[0].leave(Some(Arc::clone(session))).await;
                None
            }
        }
    }

    /// Asks, and says on which connection.
    async fn ask(
        &self,
        slot: &Slot,
        used: &mut Option<Arc<Session>>,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let session = used.insert(self.session(slot).await?);
        let statement = session.statement(sql).await?;
        session.client.query(&statement, params).await
    }

    async fn session(&self, slot: &Slot) -> Result<Arc<Session>, Error> {
        let mut held = slot.0.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !session.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.common.connector.connect().await?);
        *held = Some(Arc::clone(&session));
        Ok(session)
    }
}
