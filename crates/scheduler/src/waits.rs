use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind};

use crate::CallChain;

/// Waits that one check looks at, 0.5 ms of work at the most. A longer search is given up and the call may wait; its deadline ends it.
pub const WALK_MAX: usize = 4096;

/// Actors per wait that [`Waits`] has room for on average. Chains are mostly two or three calls deep; without this bound, chains as
/// deep as they may be would take twenty times the memory that the number of waits suggests.
pub const WAITERS_PER_WAIT: usize = 4;

/// One wait in [`Waits`]. Give it back with [`Waits::remove`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a wait that is never removed makes later calls look like deadlocks"]
pub struct WaitId(u64);

/// A call would have waited for ever: each actor waits until the next can take its message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the call would wait for ever: {cycle}")]
pub struct CycleError {
    /// The actors, as `a -> b -> a`.
    pub cycle: String,
}

impl CycleError {
    /// The rule that it breaks.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::CallCycle
    }
}

/// Another try may succeed: the cycle came about by timing.
impl From<CycleError> for ActorError {
    fn from(error: CycleError) -> Self {
        Self::coded(ErrorKind::Unavailable, error.code(), error.to_string())
    }
}

/// Who waits for whom across call chains. Two chains can wait for each other although neither comes back to itself: `a`
/// calls `b` while `b`, busy with another request, calls `a`.
///
/// A wait belongs here only while its call is *queued* in front of a serial actor that is busy. Add it when the call is
/// queued, remove it when it starts or is given up. A handler that waits for the first of several calls counts as
/// waiting for all of them.
#[derive(Debug)]
pub struct Waits {
    waits: HashMap<u64, Wait>,
    /// The waits in which an actor waits, each with the chain that ends with it, which knows whether it still does.
    by_waiter: HashMap<ActorId, BTreeMap<u64, CallChain>>,
    /// Actors over all waits.
    waiters: usize,
    next: u64,
    waits_max: usize,
}

#[derive(Debug)]
struct Wait {
    /// Those who waited when the call was queued.
    waiters: Vec<ActorId>,
    callee: ActorId,
}

impl Waits {
    /// A graph without waits, for at most `waits_max` of them and [`WAITERS_PER_WAIT`] times as many actors in them at a time. Further
    /// ones are checked but not kept, so a cycle through them ends by its deadline.
    #[must_use]
    pub fn new(waits_max: usize) -> Self {
        Self { waits: HashMap::new(), by_waiter: HashMap::new(), waiters: 0, next: 0, waits_max }
    }

    /// Adds the wait of everybody in `chain`, whose latest actor calls `callee`.
    ///
    /// # Errors
    /// [`CycleError`] if `callee` waits, directly or through others, for an actor of the chain. Then nothing is added.
    pub fn add(&mut self, chain: &CallChain, callee: &ActorId) -> Result<WaitId, CycleError> {
        let waiters: Vec<ActorId> = chain.actors().cloned().collect();
        if let Some(path) = self.path(callee, &waiters) {
            let names: Vec<String> = path.iter().chain(path.first()).map(ToString::to_string).collect();
            return Err(CycleError { cycle: names.join(" -> ") });
        }
        self.next += 1;
        if self.waits.len() < self.waits_max && waiters.len() <= self.waiters_max() - self.waiters {
            for (waiter, link) in chain.links().filter_map(|link| Some((link.waiter()?, link))) {
                self.by_waiter.entry_ref(waiter).or_default().insert(self.next, link.clone());
            }
            self.waiters += waiters.len();
            self.waits.insert(self.next, Wait { waiters, callee: callee.clone() });
        }
        Ok(WaitId(self.next))
    }

    /// Ends a wait: its call has started, or was given up.
    pub fn remove(&mut self, id: WaitId) {
        let Some(wait) = self.waits.remove(&id.0) else { return };
        self.waiters -= wait.waiters.len();
        for waiter in wait.waiters {
            let Some(waits) = self.by_waiter.get_mut(&waiter) else { continue };
            waits.remove(&id.0);
            if waits.is_empty() {
                self.by_waiter.remove(&waiter);
            }
        }
    }

    fn waiters_max(&self) -> usize {
        self.waits_max.saturating_mul(WAITERS_PER_WAIT)
    }

    /// Waits that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// How `from` comes to wait for one of `goals`: the goal, then the actors from `from` on. `None` if it does not, or if
    /// that cannot be told within [`WALK_MAX`] waits.
    fn path(&self, from: &ActorId, goals: &[ActorId]) -> Option<Vec<ActorId>> {
        let mut seen: HashSet<&ActorId> = HashSet::from([from]);
        let mut walk: Vec<(&ActorId, usize)> = vec![(from, usize::MAX)];
        let (mut at, mut looks) = (0, 0);
        while at < walk.len() {
            for (id, link) in self.by_waiter.get(walk[at].0).into_iter().flatten() {
                looks += 1;
                if looks > WALK_MAX {
                    return None;
                }
                let callee = &self.waits.get(id)?.callee;
                if link.waiter().is_none() {
                    continue;
                }
                if goals.contains(callee) {
                    return Some(trace(&walk, at, callee));
                }
                if seen.insert(callee) {
                    walk.push((callee, at));
                }
            }
            at += 1;
        }
        None
    }
}

fn trace(walk: &[(&ActorId, usize)], mut at: usize, goal: &ActorId) -> Vec<ActorId> {
    let mut path = Vec::new();
    while let Some((actor, before)) = walk.get(at) {
        path.push((*actor).clone());
        at = *before;
    }
    path.push(goal.clone());
    path.reverse();
    path
}

#[cfg(test)]
mod tests;
