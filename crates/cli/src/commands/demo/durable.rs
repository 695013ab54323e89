use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::proto::{Balance, BookRequest, SumRequest};
use playhouse_node::{ActorOptions, ActorRef, Node};
use playhouse_store::Store;

use super::report::KeptRow;
use super::stage::{ask, name_of};
use super::{cast, wrong};
use crate::commands::run::node_error;
use crate::error::Result;
use crate::files::PassingFolder;
use crate::store::location::Location;
use crate::store::open;

/// Entries of the book, and the time after which fewer will do: each waits for the disk.
const ENTRIES: u64 = 20;
const BOOKING_TIME: Duration = Duration::from_millis(150);
const STOP_TIME: Duration = Duration::from_secs(2);

/// A ledger books, its node ends without a word to it, and another node with the same store goes on where it was.
pub(super) async fn over_a_restart() -> Result<KeptRow> {
    let place = std::env::temp_dir();
    let made = PassingFolder::make(&place, "playhouse-demo");
    let folder = made.map_err(|error| wrong(format!("cannot make a folder in {}: {error}", place.display())))?;
    let (first, store) = ledger(folder.path()).await?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < ENTRIES as usize && (times.is_empty() || start.elapsed() < BOOKING_TIME) {
        let booking = Instant::now();
        let request = BookRequest { amount: 2, what: "a ticket".to_owned() };
        let _: Balance = ask(&first.actor, "ledger.LedgerService.Book", &request).await?;
        times.push(booking.elapsed());
    }
    times.sort_unstable();
    first.end(store).await?;

    let again = Instant::now();
    let (second, store) = ledger(folder.path()).await?;
    let found: Balance = ask(&second.actor, "ledger.LedgerService.Sum", &SumRequest {}).await?;
    let restart_ms = again.elapsed().as_secs_f64() * 1e3;
    let name = name_of(second.actor.id());
    second.end(store).await?;
    let entries = times.len() as u64;
    if found.entries != entries || found.sum != 2 * entries as i64 {
        return Err(wrong(format!("{entries} entries were booked, {} are there after a restart", found.entries)));
    }
    Ok(KeptRow {
        actor: name,
        entries,
        p50_us: times[times.len() / 2].as_secs_f64() * 1e6,
        kept: found.entries,
        restart_ms,
    })
}

/// A node with a ledger.
struct Run {
    node: Node,
    actor: ActorRef,
}

async fn ledger(folder: &Path) -> Result<(Run, Arc<dyn Store>)> {
    let place = Location::Folder(folder.to_owned());
    let store = tokio::task::spawn_blocking(move || open::for_node(&place)).await;
    let store = store.map_err(|error| wrong(error.to_string()))??.ok_or_else(|| wrong("there is no store"))?;
    let node = Node::builder().store(Arc::clone(&store)).start().map_err(|error| node_error(&error))?;
    let linked = node.link(cast::actor_type("LedgerLinked")?, ledger::Ledger::default, ActorOptions::default()).await;
    let actor = linked.map_err(|error| node_error(&error))?;
    Ok((Run { node, actor }, store))
}

impl Run {
    /// Ends the node and lets go of the store.
    async fn end(self, store: Arc<dyn Store>) -> Result<()> {
        self.node.shutdown(STOP_TIME).await;
        store.close().await.map_err(|error| wrong(error.to_string()))
    }
}
