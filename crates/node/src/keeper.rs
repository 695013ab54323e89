//! What a node with a store does for all its actors: it opens them, keeps their leases, fires their timers, delivers what they sent and notices
//! what others have sent them.

mod alarms;
mod arrivals;
mod leases;
mod names;
pub(crate) mod outbox;
mod running;
mod telling;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use playhouse_store::{ActorKey, ActorStore, Epoch, Identity, Lease, OpenActor, Quota, Receipt, Store, StoreError};
use playhouse_types::{ActorType, Realm};
use tokio::sync::Notify;

use crate::cell::Cell;
use crate::clock::now;
use crate::shared::Shared;

pub(crate) use names::Taken;

use alarms::Alarms;
use names::Names;
use running::Running;
use telling::Telling;

/// How long others must keep away from an actor that its node no longer renews: long enough that a node which is slow for some
/// seconds keeps its actors, short enough that another one takes over while callers still retry.
const LEASE_FOR: Duration = Duration::from_secs(30);
/// How often leases are renewed: twice may fail.
const RENEW_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Keeper {
    pub(crate) store: Arc<dyn Store>,
    /// Under which name this node owns actors.
    owner: String,
    names: Arc<Names>,
    /// The actors that this node has opened. An actor is in here before it is opened, so that nobody else puts messages past it.
    open: RwLock<HashMap<ActorKey, Weak<Cell>>>,
    /// Rings when an outbox has got something.
    pub(crate) posted: Notify,
    /// Whether the whole outbox has to be looked at, not only what was posted since: something that had to wait need not any more.
    look_anew: AtomicBool,
    /// The actors that were released since the whole outbox was looked at.
    left: Mutex<HashSet<ActorKey>>,
    telling: Telling,
    alarms: Alarms,
    /// What is being handled, where the store has room for such a note.
    pub(crate) running: Option<Running>,
    closing: AtomicBool,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>, owner: String) -> Self {
        let running = store.local_folder().and_then(Running::open);
        Self {
            store,
            owner,
            names: Arc::default(),
            open: RwLock::default(),
            posted: Notify::new(),
            look_anew: AtomicBool::new(false),
            left: Mutex::default(),
            telling: Telling::default(),
            alarms: Alarms::default(),
            running,
            closing: AtomicBool::new(false),
        }
    }

    /// Takes a name for an actor of that type: the given one, or the first number that is free.
    pub(crate) fn name(&self, realm: Realm, actor_type: &ActorType, instance: Option<&str>) -> Result<Taken, String> {
        self.names.take(realm, actor_type, instance)
    }

    /// Opens an actor; its former epoch is stale from then on.
    pub(crate) fn open(&self, identity: &Identity) -> Receipt<Lease> {
        let (identity, owner) = (identity.clone(), self.owner.clone());
        self.store.open_actor(OpenActor { identity, owner, now: now(), lease_for: LEASE_FOR })
    }

    /// Asks the store for something about an actor that this cell still has. Closed if it was released: then the actor may be another one's,
    /// and nobody releases it in between.
    pub(crate) fn ask_for<T>(&self, actor: ActorKey, cell: &Cell, ask: impl FnOnce(&Self) -> Receipt<T>) -> Receipt<T> {
        let open = self.open.read();
        if open.get(&actor).is_some_and(|found| is(found, cell)) {
            return ask(self);
        }
        Receipt::ready(Err(StoreError::Closed))
    }

    /// The view of an actor that was just opened.
    pub(crate) fn view(&self, lease: Lease, quota: Quota) -> ActorStore {
        ActorStore::new(Arc::clone(&self.store), lease, quota)
    }

    pub(crate) fn insert(&self, actor: ActorKey, cell: &Arc<Cell>) {
        self.open.write().insert(actor, Arc::downgrade(cell));
        // What it sent in an earlier life may still be in its outbox.
        self.look_anew();
    }

    fn take_left(&self) -> HashSet<ActorKey> {
        std::mem::take(&mut *self.left.lock())
    }

    /// Has the whole outbox looked at.
    pub(crate) fn look_anew(&self) {
        self.look_anew.store(true, Ordering::Release);
        self.posted.notify_one();
    }

    /// Lets somebody else have an actor. Another cell that has it since keeps it. Nobody need wait: if it is refused the actor belongs to
    /// somebody else already, and if it fails the lease ends by itself.
    pub(crate) fn release(&self, actor: ActorKey, epoch: Epoch, cell: &Cell) -> Receipt<()> {
        if let Entry::Occupied(found) = self.open.write().entry(actor)
            && is(found.get(), cell)
        {
            found.remove();
            self.left.lock().insert(actor);
        }
        self.store.release(actor, epoch)
    }

    /// Extends the lease of an actor; not of one that was released meanwhile.
    fn renew(&self, actor: ActorKey, epoch: Epoch, cell: &Cell) -> Receipt<()> {
        self.ask_for(actor, cell, |keeper| keeper.store.renew(actor, epoch, now().after(LEASE_FOR)))
    }

    /// The actor with that key, if this node has opened it.
    pub(crate) fn cell(&self, actor: ActorKey) -> Option<Arc<Cell>> {
        self.open.read().get(&actor).and_then(Weak::upgrade)
    }

    fn cells(&self) -> Vec<Arc<Cell>> {
        self.open.read().values().filter_map(Weak::upgrade).collect()
    }

    /// Ends the tasks.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.posted.notify_one();
        self.wake_alarms();
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// Whether an entry stands for that cell.
fn is(found: &Weak<Cell>, cell: &Cell) -> bool {
    std::ptr::eq(found.as_ptr(), cell)
}

/// Starts the tasks of a node.
pub(crate) fn start(keeper: &Arc<Keeper>, shared: &Arc<Shared>) {
    shared.runtime.spawn(renew(Arc::downgrade(keeper)));
    shared.runtime.spawn(alarms::watch(Arc::downgrade(keeper)));
    shared.runtime.spawn(outbox::deliver(Arc::downgrade(shared)));
    shared.runtime.spawn(arrivals::follow(Arc::downgrade(keeper)));
}

/// Renews the leases of all actors until the node ends.
async fn renew(keeper: Weak<Keeper>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let Some(keeper) = keeper.upgrade() else { return };
        if keeper.is_closing() {
            return;
        }
        let leases: Vec<_> = keeper.cells().into_iter().filter_map(|cell| Some((cell.lease()?, cell))).collect();
        let renew = |(actor, epoch), cell: &Arc<Cell>| keeper.renew(actor, epoch, cell);
        leases::renew(leases, renew, |cell, (_, epoch), error| cell.lease_lost(epoch, error)).await;
    }
}
