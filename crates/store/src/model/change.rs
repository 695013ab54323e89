use bytes::Bytes;

use super::actor::Revision;
use super::time::Time;

/// What must be true of a key for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// It is not there.
    Absent,
    /// It has the value of that version.
    Version(Revision),
}

/// One change of an actor's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Which key: 1 to [`STATE_KEY_BYTES_MAX`](crate::limits::STATE_KEY_BYTES_MAX) bytes. A commit changes a key once.
    pub key: Bytes,
    /// What has to be there now, or the whole commit is refused.
    pub expect: Expect,
    /// The value from now on; `None` deletes the key, which need not be there.
    pub value: Option<Bytes>,
}

/// A value and the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Bytes,
    /// The revision of the commit that wrote it.
    pub version: Revision,
}

/// One change of an actor's timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Sets a timer, in place of the one with that name if there is one.
    Set {
        /// Its name: 1 to [`TIMER_NAME_BYTES_MAX`](crate::limits::TIMER_NAME_BYTES_MAX) bytes.
        name: String,
        /// When it is due.
        due: Time,
        /// What comes with it, at most [`TIMER_BODY_BYTES_MAX`](crate::limits::TIMER_BODY_BYTES_MAX) bytes: how it repeats, what the actor wants to hear.
        body: Bytes,
    },
    /// Takes a timer away if it is there.
    Cancel {
        /// Its name.
        name: String,
    },
}

/// One change of an actor's sealed keys. The store sees only what is sealed already.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// Keeps a new key. Refused if there is one with that name, so that of two that are made at once one wins.
    Create {
        /// Its name: 1 to [`SEALED_KEY_NAME_BYTES_MAX`](crate::limits::SEALED_KEY_NAME_BYTES_MAX) bytes.
        name: String,
        /// The sealed key, at most [`SEALED_KEY_BYTES_MAX`](crate::limits::SEALED_KEY_BYTES_MAX) bytes.
        blob: Bytes,
    },
    /// Keeps the key in place of the one with that name, if there is one.
    Replace {
        /// Its name.
        name: String,
        /// The sealed key.
        blob: Bytes,
    },
    /// Forgets a key, if it is there.
    Delete {
        /// Its name.
        name: String,
    },
}

impl KeyChange {
    /// The key that is changed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Create { name, .. } | Self::Replace { name, .. } | Self::Delete { name } => name,
        }
    }
}

impl std::fmt::Debug for KeyChange {
    /// Without the blob: also what is sealed does not belong in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create { name, .. } => write!(f, "Create({name})"),
            Self::Replace { name, .. } => write!(f, "Replace({name})"),
            Self::Delete { name } => write!(f, "Delete({name})"),
        }
    }
}
