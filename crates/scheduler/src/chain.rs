use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use playhouse_types::limits::CALL_DEPTH_MAX;
use playhouse_types::{ActorError, ActorId, Code, ErrorKind};

/// The actors that wait for each other so that one request can be answered, the latest first. It travels with every
/// call, so that a call which comes back to a waiting actor is refused at once. An actor that gives a call up leaves the
/// chain of it, for all clones at once, although its callee may still be busy with the call. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct CallChain(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    actor: ActorId,
    depth: usize,
    before: CallChain,
    /// Whether the actor has stopped waiting.
    ended: AtomicBool,
}

/// Why a call may not extend a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The callee waits in the chain itself.
    #[error("the call would wait for itself: {cycle}")]
    Cycle {
        /// The actors from the callee to the callee, as `a -> b -> a`.
        cycle: String,
    },
    /// The chain is as long as it may be.
    #[error("{CALL_DEPTH_MAX} actors wait for each other already")]
    TooDeep,
}

impl ChainError {
    /// The rule that the call breaks.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Cycle { .. } => Code::CallCycle,
            Self::TooDeep => Code::CallDepth,
        }
    }
}

/// The same call would come back again: another try is of no use.
impl From<ChainError> for ActorError {
    fn from(error: ChainError) -> Self {
        Self::coded(ErrorKind::InvalidArgument, error.code(), error.to_string())
    }
}

impl CallChain {
    /// The chain of a request from outside: nobody waits.
    #[must_use]
    pub const fn root() -> Self {
        Self(None)
    }

    /// The chain after `actor`, which handles a request of this chain, has made a call of its own.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`] at [`CALL_DEPTH_MAX`].
    pub fn extend(&self, actor: &ActorId) -> Result<Self, ChainError> {
        let depth = self.depth() + 1;
        if depth > CALL_DEPTH_MAX {
            return Err(ChainError::TooDeep);
        }
        Ok(Self(Some(Arc::new(Link {
            actor: actor.clone(),
            depth,
            before: self.clone(),
            ended: AtomicBool::new(false),
        }))))
    }

    /// The actor that extended the chain last no longer waits: it has its reply, or has given up.
    pub fn end_wait(&self) {
        if let Some(link) = &self.0 {
            // The flag guards nothing else, and a late reader only refuses a call that could have been tried.
            link.ended.store(true, Ordering::Relaxed);
        }
    }

    /// The calls that led here, those given up included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.as_ref().map_or(0, |link| link.depth)
    }

    /// The waiting actors, the latest first.
    pub fn actors(&self) -> impl Iterator<Item = &ActorId> {
        self.links().filter_map(Self::waiter)
    }

    /// The chain, the chain before its latest call, and so on.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |chain| chain.0.as_deref().map(|link| &link.before))
    }

    /// The actor that extended the chain last, if it still waits.
    pub(crate) fn waiter(&self) -> Option<&ActorId> {
        self.0.as_deref().filter(|link| !link.ended.load(Ordering::Relaxed)).map(|link| &link.actor)
    }

    /// Checks that `callee` does not wait in this chain.
    ///
    /// # Errors
    /// [`ChainError::Cycle`] that names the cycle.
    pub fn check(&self, callee: &ActorId) -> Result<(), ChainError> {
        if !self.actors().any(|actor| actor == callee) {
            return Ok(());
        }
        let mut waiting: Vec<_> = self.actors().collect();
        waiting.reverse();
        let first = waiting.iter().position(|actor| *actor == callee).unwrap_or(0);
        let mut cycle = String::new();
        for actor in &waiting[first..] {
            cycle.push_str(&actor.to_string());
            cycle.push_str(" -> ");
        }
        cycle.push_str(&callee.to_string());
        Err(ChainError::Cycle { cycle })
    }
}

#[cfg(test)]
mod tests;
