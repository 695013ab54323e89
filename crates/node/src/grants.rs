//! Which host operations an actor may use.

use std::fmt;

use playhouse_types::HostOp;

/// A permission for host operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grant {
    /// Send requests and await replies.
    Call,
    /// Send requests whose answer nobody awaits.
    Tell,
    /// Find actors by type.
    Discover,
    /// Register streams and send chunks.
    Stream,
    /// Keep private state.
    State,
    /// Set timers.
    Timers,
    /// Use keys, and hash.
    Crypto,
    /// Read settings.
    Config,
    /// Read secrets.
    Secrets,
    /// Ask for random bytes.
    Random,
    /// Read the time of day.
    Clock,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 11] = [
        Self::Call,
        Self::Tell,
        Self::Discover,
        Self::Stream,
        Self::State,
        Self::Timers,
        Self::Crypto,
        Self::Config,
        Self::Secrets,
        Self::Random,
        Self::Clock,
    ];

    /// The name in manifests and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Tell => "tell",
            Self::Discover => "discover",
            Self::Stream => "stream",
            Self::State => "state",
            Self::Timers => "timers",
            Self::Crypto => "crypto",
            Self::Config => "config",
            Self::Secrets => "secrets",
            Self::Random => "random",
            Self::Clock => "clock",
        }
    }

    /// The grant with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }

    pub(crate) const fn of(op: &HostOp) -> Self {
        match op {
            HostOp::Call { .. } => Self::Call,
            HostOp::Tell { .. } => Self::Tell,
            HostOp::Discover { .. } => Self::Discover,
            HostOp::RegisterStream { .. } | HostOp::UnregisterStream { .. } | HostOp::SendChunk { .. } => Self::Stream,
            HostOp::State(_) => Self::State,
            HostOp::Timer(_) => Self::Timers,
            HostOp::Crypto(_) => Self::Crypto,
            HostOp::Config { .. } => Self::Config,
            HostOp::Secret { .. } => Self::Secrets,
            HostOp::Random { .. } => Self::Random,
            HostOp::Now => Self::Clock,
        }
    }
}

/// A set of grants.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants(u16);

impl Grants {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// What actr 0.3 gives every actor, and what an actor has that declares nothing: all host operations of its ABI.
    pub const ACTR: Self = Self(0b1111);

    /// Every grant: what a node's policy allows unless it says less. A package has of these what it declares.
    pub const ALL: Self = Self((1 << Grant::ALL.len()) - 1);

    /// The set with one more grant.
    #[must_use]
    pub const fn with(self, grant: Grant) -> Self {
        Self(self.0 | 1 << grant as u8)
    }

    /// Whether the set has the grant.
    #[must_use]
    pub const fn has(self, grant: Grant) -> bool {
        self.0 & (1 << grant as u8) != 0
    }

    /// What both sets have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set of the grants with these names; names of later versions are no grants here.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(Grant::from_name).fold(Self::NONE, Self::with)
    }

    /// The grants in the set.
    pub fn iter(self) -> impl Iterator<Item = Grant> {
        Grant::ALL.into_iter().filter(move |grant| self.has(*grant))
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Grant::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, Grants};

    #[test]
    fn sets() {
        let set = Grants::from_names(["call", "stream", "fly"]);
        assert_eq!(format!("{set:?}"), r#"{"call", "stream"}"#);
        assert!(set.has(Grant::Call) && !set.has(Grant::Tell));
        assert_eq!(set.and(Grants::ACTR), set);
        assert_eq!(Grants::from_names(Grant::ALL.map(Grant::name)), Grants::ALL);
        assert_eq!(Grants::from_names(["call", "tell", "discover", "stream"]), Grants::ACTR);
    }
}
