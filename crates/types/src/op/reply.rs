use std::fmt;

use bytes::Bytes;

use super::Timestamp;
use super::state::StateEntry;
use crate::id::ActorId;

/// What a host answers to a [`HostOp`](crate::HostOp).
#[derive(Clone, PartialEq, Eq)]
pub enum HostReply {
    /// The operation is done.
    Done,
    /// The reply to a call.
    Bytes(Bytes),
    /// The actor that was found.
    Actor(ActorId),
    /// A value of the state, if there is one.
    Entry(Option<StateEntry>),
    /// Values of the state.
    Entries {
        /// The values, in the order of their keys.
        entries: Vec<StateEntry>,
        /// Whether there are more behind the last one.
        more: bool,
    },
    /// Yes or no.
    Flag(bool),
    /// A setting or secret, if there is one of that name.
    Maybe(Option<Bytes>),
    /// The time of day.
    Time(Timestamp),
}

impl fmt::Debug for HostReply {
    /// Shows how large data is and not what it is: among it are secrets, randomness and what was decrypted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Actor(id) => write!(f, "Actor({id})"),
            Self::Entry(entry) => write!(f, "Entry({entry:?})"),
            Self::Entries { entries, more } => {
                f.debug_struct("Entries").field("entries", entries).field("more", more).finish()
            }
            Self::Flag(flag) => write!(f, "Flag({flag})"),
            Self::Maybe(None) => f.write_str("Maybe(None)"),
            Self::Maybe(Some(bytes)) => write!(f, "Maybe({} bytes)", bytes.len()),
            Self::Time(time) => write!(f, "Time({time:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostReply;
    use bytes::Bytes;

    #[test]
    fn debug_output_has_no_data() {
        let canary = Bytes::from_static(b"canary");
        for reply in [HostReply::Bytes(canary.clone()), HostReply::Maybe(Some(canary))] {
            let shown = format!("{reply:?}");
            assert!(shown.contains("6 bytes") && !shown.contains("canary"), "{shown}");
        }
    }
}
