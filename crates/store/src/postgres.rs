//! The store on Postgres, for many nodes.
//!
//! A group of writes is one statement, and so one round trip and one transaction: a function in the database checks
//! each write and makes it, or says which rule refuses it, which leaves the others undisturbed. The rows of the actors of a group are locked
//! first, so the epoch that a commit carries is compared with the actor's in the transaction that makes it.
//!
//! **Unknown outcomes** are found out. The database remembers the last group of each store and its answers. When a connection breaks
//! under a group, the next one forbids everything that the broken one may still bring, reads what was remembered, and either has
//! the answers or sends the group again. Callers notice a pause.
//!
//! **Durability.** `memory`, `fsync` and `quorum` are `synchronous_commit` = `off`, `local` and `on`, by transaction. `quorum` is there only
//! while the server names synchronous standbys and one is attached, so it holds as many copies as the operator's
//! `synchronous_standby_names` says; reading `pg_stat_replication` needs the role `pg_read_all_stats`. On a server with `fsync = off` or
//! `full_page_writes = off` there is `memory` only. A server that takes over without what it acknowledged to this store is noticed, and
//! the store then refuses all writes until it is opened again.
//!
//! **Clocks.** Times are those of the nodes, and a lease ends by the clock of whoever wants the actor. A node whose clock is ahead takes actors
//! early; that costs work, not correctness, because the former owner's epoch is stale from then on. Keep leases well
//! longer than clocks differ. Replies are forgotten by the clock of the node that writes.

mod address;
mod answer;
mod arrivals;
mod backend;
mod check;
mod commit;
mod error;
mod group;
mod options;
mod promise;
mod queue;
mod readers;
mod reads;
mod rows;
mod schema;
mod session;
mod start;
mod store;
mod sums;
mod tls;
mod write;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Handle, Runtime};

use crate::contract::Stats;
use crate::model::Durability;
use crate::receipt::{Done, Receipt};

pub use self::error::PostgresError;
pub use self::options::PostgresOptions;

use self::arrivals::Arrivals;
use self::promise::Promise;
use self::queue::Queue;
use self::readers::Readers;
use self::session::Connector;
use self::write::{Job, Write};

/// A store in a schema of a Postgres server, which many nodes share.
///
/// Cheap to clone; the last clone that goes closes the store, and waits for what was submitted to be written, unless it goes in an answer of the
/// store itself. Async code awaits [`close`](crate::Store::close) before, then nothing is left to wait for. The store drives its
/// connections on a thread of its own, so its methods can be called from anywhere.
#[derive(Clone)]
pub struct PostgresStore(Arc<Shared>);

struct Shared {
    common: Arc<Common>,
    readers: Arc<Readers>,
    runtime: Mutex<Option<Runtime>>,
    /// The thread of the runtime.
    worker: ThreadId,
}

/// What the tasks of a store share.
struct Common {
    queue: Arc<Queue>,
    connector: Connector,
    runtime: Handle,
    /// The server and the schema, for people.
    server: String,
    give_up_after: Duration,
    promise: Promise,
    /// The row of this store among those of the writers.
    writer: AtomicI64,
    arrivals: Arrivals,
    stats: Counted,
}

#[derive(Default)]
struct Counted {
    writes: AtomicU64,
    groups: AtomicU64,
}

impl Common {
    fn strongest(&self) -> Durability {
        self.promise.strongest()
    }

    /// What was done here.
    fn counted(&self) -> Stats {
        Stats {
            writes: self.stats.writes.load(Ordering::Relaxed),
            groups: self.stats.groups.load(Ordering::Relaxed),
            waiting: self.queue.len() as u64,
            ..Stats::default()
        }
    }

    /// How long the server has for an answer.
    fn answer_timeout(&self) -> Duration {
        self.connector.statement_timeout + Duration::from_secs(5)
    }
}

impl PostgresStore {
    /// Opens the store, and makes its schema if it is not there. Blocks while it connects.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses, or the schema is from a newer version.
    pub fn open(options: PostgresOptions) -> Result<Self, PostgresError> {
        start::open(options).map(|shared| Self(Arc::new(shared)))
    }

    fn submit<W: Write>(&self, write: W) -> Receipt<W::Answer> {
        let (done, receipt) = Receipt::pending();
        self.submit_to(write, done);
        receipt
    }

    fn submit_to<W: Write>(&self, write: W, done: Done<W::Answer>) {
        if let Some(job) = Job::new(write, done, self.0.common.strongest()) {
            self.0.common.queue.push(Box::new(job));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.lock().take() else { return };
        let (done, closed) = Receipt::pending();
        self.common.queue.close(done);
        // If the server is away this is how long what waits may wait anyway.
        let give_up_after = self.common.give_up_after;
        let (told, heard) = std::sync::mpsc::channel::<()>();
        self.common.runtime.spawn(async move {
            drop(tokio::time::timeout(give_up_after, closed).await);
            runtime.shutdown_background();
            drop(told);
        });
        // An answer that had the last clone is given where the rest has to be written.
        if std::thread::current().id() != self.worker {
            heard.recv().unwrap_or_default();
        }
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresStore({})", self.0.common.server)
    }
}
