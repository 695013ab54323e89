use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_store::Identity;
use playhouse_types::{ActorType, Realm};

/// The identities of the actors that a node runs.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashSet<Identity>>);

/// An identity that no other actor of the node has as long as this lives.
#[derive(Debug)]
pub(crate) struct Taken {
    identity: Identity,
    names: Arc<Names>,
    given_back: AtomicBool,
}

impl Names {
    /// Takes the given name for an actor of that type, or the first number that is free. The name itself if it is not.
    pub(super) fn take(
        self: &Arc<Self>,
        realm: Realm,
        actor_type: &ActorType,
        instance: Option<&str>,
    ) -> Result<Taken, String> {
        let identity = |instance: String| Identity {
            realm,
            manufacturer: actor_type.manufacturer().clone(),
            type_name: actor_type.name().clone(),
            instance,
        };
        let mut taken = self.0.lock();
        let free = match instance {
            Some(name) => Some(identity(name.to_owned())).filter(|identity| !taken.contains(identity)),
            None => (1_u64..).map(|number| identity(number.to_string())).find(|identity| !taken.contains(identity)),
        };
        let Some(identity) = free else { return Err(instance.unwrap_or_default().to_owned()) };
        taken.insert(identity.clone());
        Ok(Taken { identity, names: Arc::clone(self), given_back: AtomicBool::new(false) })
    }
}

impl Taken {
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Lets another actor have the name.
    pub(crate) fn give_back(&self) {
        if !self.given_back.swap(true, Ordering::AcqRel) {
            self.names.0.lock().remove(&self.identity);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back();
    }
}
