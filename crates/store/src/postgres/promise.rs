use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use tokio_postgres::Error;
use tokio_postgres::types::PgLsn;

use crate::model::Durability;

use super::session::Session;

/// A place in the log that no standby has reached: that from which on they are believed again is not known yet.
const NOWHERE: u64 = u64::MAX;

/// The strongest class that the server can promise, as far as is known.
#[derive(Default)]
pub(super) struct Promise {
    class: AtomicU8,
    /// Standbys that did not answer in time are still attached for a minute by the server's books. From then on only those count that have
    /// got as far as this place in the log; 0 if none is in doubt.
    doubt: Mutex<u64>,
}

impl Promise {
    pub(super) fn strongest(&self) -> Durability {
        match self.class.load(Ordering::Relaxed) {
            0 => Durability::Memory,
            1 => Durability::Fsync,
            _ => Durability::Quorum,
        }
    }

    fn set(&self, class: Durability) {
        self.class.store(class as u8, Ordering::Relaxed);
    }

    /// There is no quorum any more.
    pub(super) fn weaken(&self) {
        self.set(self.strongest().min(Durability::Fsync));
    }

    /// The standbys did not answer: there is no quorum before they have what the server has now.
    pub(super) fn doubt(&self) {
        let mut doubt = self.doubt.lock();
        *doubt = NOWHERE;
        self.weaken();
    }

    /// Asks the server.
    pub(super) async fn measure(&self, session: &Session) -> Result<Durability, Error> {
        let asked = *self.doubt.lock();
        let (class, end) = session.strongest(PgLsn::from(asked)).await?;
        let mut doubt = self.doubt.lock();
        // What was measured before the doubt is old.
        if *doubt == asked {
            self.set(class);
            match asked {
                NOWHERE => *doubt = end.into(),
                _ if class == Durability::Quorum => *doubt = 0,
                _ => {}
            }
        }
        Ok(self.strongest())
    }
}
