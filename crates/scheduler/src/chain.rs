use std::sync::Arc;

use playhouse_types::limits::CALL_DEPTH_MAX;
use playhouse_types::{ActorError, ActorId, Code, ErrorKind};

/// The actors that wait for each other so that one request can be answered, the latest first. It travels with every
/// call, so that a call which comes back to a waiting actor is refused at once. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct CallChain(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    actor: ActorId,
    depth: usize,
    before: CallChain,
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
        Ok(Self(Some(Arc::new(Link { actor: actor.clone(), depth, before: self.clone() }))))
    }

    /// How many actors wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.as_ref().map_or(0, |link| link.depth)
    }

    /// The waiting actors, the latest first.
    pub fn actors(&self) -> impl Iterator<Item = &ActorId> {
        std::iter::successors(self.0.as_deref(), |link| link.before.0.as_deref()).map(|link| &link.actor)
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
