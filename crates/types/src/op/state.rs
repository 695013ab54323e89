//! What a workload asks of its private state: key-value pairs that are committed with the message being handled, or dropped with its
//! failure. A handler reads what it has written itself.

use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;

use crate::limits::STATE_KEY_BYTES_MAX;
use crate::name::ParseError;

/// The key of a value in an actor's state: 1 to 512 bytes, ordered bytewise. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateKey(Bytes);

impl StateKey {
    /// Parses a key.
    ///
    /// # Errors
    /// If it is empty or longer than [`STATE_KEY_BYTES_MAX`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, ParseError> {
        let bytes = bytes.into();
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        match bytes.len() {
            0 => Err(ParseError::new("state key", "", "is empty")),
            1..=STATE_KEY_BYTES_MAX => Ok(Self(bytes)),
            _ => Err(ParseError::new("state key", &shown(), "is longer than 512 bytes")),
        }
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Counts the writes of one actor: every write gives its value a version above all earlier ones, so that a value that was deleted
/// and set again differs from the one before.
pub type StateVersion = NonZeroU64;

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// Its key.
    pub key: StateKey,
    /// The value.
    pub value: Bytes,
    /// The write that it comes from.
    pub version: StateVersion,
}

impl fmt::Debug for StateEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets of the application: their size is enough in a log.
        f.debug_struct("StateEntry")
            .field("key", &self.key)
            .field("value_bytes", &self.value.len())
            .field("version", &self.version)
            .finish()
    }
}

/// One write.
#[derive(Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Which key.
    pub key: StateKey,
    /// Its new value; none deletes it.
    pub value: Option<Bytes>,
}

impl fmt::Debug for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateChange")
            .field("key", &self.key)
            .field("value_bytes", &self.value.as_ref().map(Bytes::len))
            .finish()
    }
}

/// What a workload asks of its state.
#[derive(Debug, Clone)]
pub enum StateOp {
    /// The value of a key. Answered by [`crate::HostReply::Entry`].
    Get {
        /// Which key.
        key: StateKey,
    },
    /// All of these writes or none. Answered by [`crate::HostReply::Done`].
    Write {
        /// The writes, in order.
        changes: Vec<StateChange>,
    },
    /// The write, if the key's value is still of that version. Answered by [`crate::HostReply::Flag`]: whether it was.
    CompareAndSet {
        /// The version that was read; none if there was no value.
        expected: Option<StateVersion>,
        /// The write.
        change: StateChange,
    },
    /// Values in the order of their keys. Answered by [`crate::HostReply::Entries`].
    Scan {
        /// What the keys begin with; empty for all.
        prefix: Bytes,
        /// The key after which to begin; none for the first.
        after: Option<StateKey>,
        /// How many at the most; the host's own limits on count and bytes may end the answer earlier.
        limit: u32,
    },
}
