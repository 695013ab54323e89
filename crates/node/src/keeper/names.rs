use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_store::Identity;
use playhouse_types::{ActorType, Realm};

/// The identities of the actors that a node runs.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    taken: HashSet<Identity>,
    /// By identities without an instance.
    numbers: HashMap<Identity, Numbers>,
}

/// The numbers of one type, of which each was looked at once: a node may have a hundred thousand actors of it.
#[derive(Debug, Default)]
struct Numbers {
    /// The highest that was looked at.
    last: u64,
    /// Those of them that are free again.
    back: BTreeSet<u64>,
}

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
        let unnamed = Identity {
            realm,
            manufacturer: actor_type.manufacturer().clone(),
            type_name: actor_type.name().clone(),
            instance: String::new(),
        };
        let mut table = self.0.lock();
        let identity = match instance {
            Some(name) => Identity { instance: name.to_owned(), ..unnamed },
            None => table.first_free(unnamed),
        };
        if !table.taken.insert(identity.clone()) {
            return Err(identity.instance);
        }
        Ok(Taken { identity, names: Arc::clone(self), given_back: AtomicBool::new(false) })
    }
}

impl Table {
    fn first_free(&mut self, unnamed: Identity) -> Identity {
        let numbers = self.numbers.entry(unnamed.clone()).or_default();
        let mut identity = unnamed;
        loop {
            let number = numbers.back.pop_first().unwrap_or_else(|| {
                numbers.last += 1;
                numbers.last
            });
            identity.instance = number.to_string();
            // Somebody may have it by name.
            if !self.taken.contains(&identity) {
                return identity;
            }
        }
    }

    fn give_back(&mut self, identity: &Identity) {
        self.taken.remove(identity);
        let unnamed = Identity { instance: String::new(), ..identity.clone() };
        let Some(numbers) = self.numbers.get_mut(&unnamed) else { return };
        let number = identity.instance.parse().ok().filter(|number: &u64| number.to_string() == identity.instance);
        numbers.back.extend(number.filter(|number| (1..=numbers.last).contains(number)));
        if numbers.back.len() as u64 == numbers.last {
            self.numbers.remove(&unnamed);
        }
    }
}

impl Taken {
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Lets another actor have the name.
    pub(crate) fn give_back(&self) {
        if !self.given_back.swap(true, Ordering::AcqRel) {
            self.names.0.lock().give_back(&self.identity);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests;
