use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use playhouse_node::types::{ActorId, ActorType};
use playhouse_package::{BinaryKind, VerifiedPackage};
use tokio::sync::watch;

use crate::control::protocol::ActorInfo;
use crate::protos::ProtoFile;

/// The actors that a node is to have, from before they start: what can be said of them while the node knows nothing of them yet, and
/// who is no longer wanted.
pub(super) struct Roster {
    places: Mutex<Vec<Place>>,
    /// Tells whoever waits that something changed.
    changed: watch::Sender<()>,
}

struct Place {
    package: VerifiedPackage,
    standing: Standing,
}

/// How far an actor has come.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// It waits for its turn, or is being prepared or started.
    Awaited,
    /// It has started.
    Here(ActorId),
    /// Somebody stopped it before it had started.
    Unwanted,
    /// Its records are damaged: it does not run until they are mended.
    Damaged(String),
}

/// The state of an actor whose records are damaged.
pub(super) const DAMAGED: &str = "damaged";

impl Roster {
    /// The places of these packages, in the order in which they will start.
    pub(super) fn new<'a>(packages: impl Iterator<Item = &'a VerifiedPackage>) -> Self {
        let place = |package: &VerifiedPackage| Place { package: package.clone(), standing: Standing::Awaited };
        Self { places: Mutex::new(packages.map(place).collect()), changed: watch::Sender::new(()) }
    }

    /// The actor of a place has started.
    pub(super) fn arrived(&self, place: usize, id: ActorId) {
        self.places()[place].standing = Standing::Here(id);
        self.changed.send_replace(());
    }

    /// The actor of a place does not run, because of this damage.
    pub(super) fn stands_still(&self, place: usize, damage: &str) {
        self.places()[place].standing = Standing::Damaged(damage.to_owned());
        self.changed.send_replace(());
    }

    /// Nobody wants the actor of a place any more. Whether it had not started yet.
    pub(super) fn dismiss(&self, place: usize) -> bool {
        let awaited = {
            let standing = &mut self.places()[place].standing;
            let awaited = *standing == Standing::Awaited;
            if awaited {
                *standing = Standing::Unwanted;
            }
            awaited
        };
        self.changed.send_replace(());
        awaited
    }

    /// Returns once nobody wants the actor of a place any more.
    pub(super) async fn dismissed(&self, place: usize) {
        let mut changes = self.changes();
        while self.places()[place].standing != Standing::Unwanted {
            // The sender lives as long as this borrow of it.
            let _ = changes.changed().await;
        }
    }

    /// What tells of every later change.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The actors that have not started yet, with their places.
    pub(super) fn awaited(&self) -> Vec<(usize, ActorType)> {
        let places = self.places();
        let awaited = places.iter().enumerate().filter(|(_, place)| place.standing == Standing::Awaited);
        awaited.map(|(index, place)| (index, place.package.actor_type().clone())).collect()
    }

    /// The actors that do not run because their records are damaged, with the damage.
    pub(super) fn broken(&self) -> Vec<(String, ActorType)> {
        let places = self.places();
        let broken = places.iter().filter_map(|place| place.damage().map(|damage| (place, damage)));
        broken.map(|(place, damage)| (damage.to_owned(), place.package.actor_type().clone())).collect()
    }

    /// What `ps` shows of these.
    pub(super) fn damaged(&self) -> Vec<ActorInfo> {
        let places = self.places();
        let broken = places.iter().filter_map(|place| place.damage().map(|damage| (place, damage)));
        broken.map(|(place, damage)| absent(&place.package, DAMAGED, Some(damage.to_owned()))).collect()
    }

    /// The actors that have started, also those that have ended since.
    pub(super) fn started(&self) -> HashSet<ActorId> {
        let places = self.places();
        places.iter().filter_map(|place| place.id().cloned()).collect()
    }

    /// The protos of an actor's package.
    pub(super) fn protos(&self, id: &ActorId) -> Vec<ProtoFile> {
        let places = self.places();
        let place = places.iter().find(|place| place.id() == Some(id));
        // One that has just been started may not have its id here yet; the type says as much.
        let place = place.or_else(|| places.iter().find(|place| place.package.actor_type() == id.actor_type()));
        let files = place.map(|place| place.package.protos()).into_iter().flatten();
        files.map(|(name, text)| ProtoFile { name: name.to_owned(), text: text.to_owned() }).collect()
    }

    /// What `ps` shows of the awaited actors of which the node knows nothing yet; `known` are the types that it is starting.
    pub(super) fn unknown(&self, mut known: Vec<ActorType>) -> Vec<ActorInfo> {
        let places = self.places();
        let awaited = places.iter().filter(|place| place.standing == Standing::Awaited);
        let unknown = awaited.filter(|place| match known.iter().position(|t| t == place.package.actor_type()) {
            Some(index) => {
                known.swap_remove(index);
                false
            }
            None => true,
        });
        unknown.map(|place| absent(&place.package, "starting", None)).collect()
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        // Each change is a single assignment, so that a panic elsewhere cannot leave half of one.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    const fn id(&self) -> Option<&ActorId> {
        match &self.standing {
            Standing::Here(id) => Some(id),
            _ => None,
        }
    }

    fn damage(&self) -> Option<&str> {
        if let Standing::Damaged(damage) = &self.standing { Some(damage) } else { None }
    }
}

/// An actor of which the node knows nothing.
fn absent(package: &VerifiedPackage, state: &str, last_error: Option<String>) -> ActorInfo {
    let engine = if package.kind() == BinaryKind::NativeCdylib { "native" } else { "wasm" };
    ActorInfo {
        id: None,
        actor_type: package.actor_type().to_string(),
        engine: engine.to_owned(),
        state: state.to_owned(),
        mailbox: 0,
        handled: 0,
        failed: 0,
        restarts: 0,
        p50_us: None,
        last_error,
        package: Some(package.package_digest().to_string()),
    }
}
