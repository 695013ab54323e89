//! What an actor's messages and effects survive.

use std::collections::HashMap;

use playhouse_store::{Durability, StoreError};
use playhouse_types::RouteKey;

/// What of an actor survives what, on a node with a store: [`memory`](Durability::Memory), [`fsync`](Durability::Fsync) or
/// [`quorum`](Durability::Quorum), per kind of message and per route. What is not said is `fsync`, or as much of it as the store has.
///
/// A call without effects changes nothing and is of class `memory`, whatever is said here, but for routes that are named: the replies of
/// those are recorded, too, so that a repetition gets the same one after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DurabilityPolicy {
    /// Tells. Those of class `memory` are never stored: they are lost with the process.
    pub tells: Option<Durability>,
    /// State, timers, keys and outgoing messages of any message: what holds before its reply is sent. With `memory` the reply does not
    /// wait for the disk.
    pub effects: Option<Durability>,
    /// Both, for messages of these routes.
    pub routes: HashMap<RouteKey, Durability>,
}

/// A policy that the node's store can keep.
#[derive(Debug)]
pub(crate) struct Classes {
    tells: Option<Durability>,
    effects: Durability,
    routes: HashMap<RouteKey, Durability>,
}

impl Classes {
    /// What the policy says with a store that promises `strongest` at most.
    pub(crate) fn new(policy: &DurabilityPolicy, strongest: Durability) -> Result<Self, StoreError> {
        let named = [policy.tells, policy.effects].into_iter().flatten().chain(policy.routes.values().copied());
        if let Some(wanted) = named.filter(|class| *class > strongest).max() {
            return Err(StoreError::DurabilityMissing { wanted, has: strongest });
        }
        let usual = Durability::Fsync.min(strongest);
        let tells = policy.tells.map_or(Some(usual), stored);
        Ok(Self { tells, effects: policy.effects.unwrap_or(usual), routes: policy.routes.clone() })
    }

    /// The class of a tell; none if it is not stored.
    pub(crate) fn tell(&self, route: &RouteKey) -> Option<Durability> {
        self.route(route).map_or(self.tells, stored)
    }

    /// The class of what a message does.
    pub(crate) fn effects(&self, route: Option<&RouteKey>) -> Durability {
        route.and_then(|route| self.route(route)).unwrap_or(self.effects)
    }

    /// Whether the reply to a request is recorded although it had no effects.
    pub(crate) fn records(&self, route: &RouteKey) -> bool {
        self.route(route).is_some_and(|class| class > Durability::Memory)
    }

    fn route(&self, route: &RouteKey) -> Option<Durability> {
        if self.routes.is_empty() { None } else { self.routes.get(route).copied() }
    }
}

/// Tells of class `memory` are not stored.
fn stored(class: Durability) -> Option<Durability> {
    (class > Durability::Memory).then_some(class)
}

#[cfg(test)]
mod tests;
