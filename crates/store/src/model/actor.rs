use std::fmt;
use std::time::Duration;

use playhouse_types::{Name, Realm, Serial};

use super::time::Time;

/// Under which name an actor's state survives restarts and new versions of its program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The security domain.
    pub realm: Realm,
    /// The publisher of the program.
    pub manufacturer: Name,
    /// The program, without its version.
    pub type_name: Name,
    /// Which one of that type, by the operator's or the application's choice: 1 to
    /// [`INSTANCE_BYTES_MAX`](crate::limits::INSTANCE_BYTES_MAX) bytes.
    pub instance: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}/{}", self.realm.number(), self.manufacturer, self.type_name, self.instance)
    }
}

/// The number by which a store knows an actor. Not used twice in one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorKey(u64);

impl ActorKey {
    /// The actor with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, from 1 on.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ActorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often an actor has been opened. Each owner has a greater one than the owner before, and writes of a lesser one fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, from 1 on.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a commit of one actor, over its whole life: the first is 1, the next is 2. Also the version of every
/// value that the commit wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// The revision with this number; 0 is before the first commit.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The wish to run an actor.
#[derive(Debug, Clone)]
pub struct OpenActor {
    /// Which. It is made if it is not there yet.
    pub identity: Identity,
    /// Who wants to run it, a name that people understand: 1 to [`OWNER_BYTES_MAX`](crate::limits::OWNER_BYTES_MAX) bytes.
    pub owner: String,
    /// The time.
    pub now: Time,
    /// How long others must keep away.
    pub lease_for: Duration,
}

/// The right to run an actor until somebody else opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The actor.
    pub actor: ActorKey,
    /// The number of the actor in its id. It stays.
    pub serial: Serial,
    /// The epoch that each commit has to carry.
    pub epoch: Epoch,
    /// Until when nobody else can open the actor.
    pub until: Time,
    /// The last commit. The next carries the revision after it.
    pub revision: Revision,
    /// What the actor keeps.
    pub usage: Usage,
}

/// What an actor keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Keys of its state.
    pub state_keys: u64,
    /// Bytes of its state, keys and values.
    pub state_bytes: u64,
    /// Timers.
    pub timers: u64,
    /// Messages that are to be delivered elsewhere.
    pub outbox: u64,
    /// Sealed keys.
    pub sealed_keys: u64,
    /// Messages in its mailbox.
    pub queued: u64,
    /// Bytes of these.
    pub queued_bytes: u64,
}

/// An actor as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorInfo {
    /// Its name.
    pub identity: Identity,
    /// Its key, serial, epoch, lease, revision and usage.
    pub lease: Lease,
    /// Who opened it last.
    pub owner: String,
}
