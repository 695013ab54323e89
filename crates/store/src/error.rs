use std::fmt;
use std::sync::Arc;

use playhouse_types::{ActorError, Code, ErrorKind};

use crate::model::{ActorKey, Durability, Epoch, OutId, Position, Revision, Time};

/// Why a store did not do what it was asked. Nothing of it was done, but where a variant says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No actor has that key. It was never opened in this store.
    #[error("no actor {actor} in this store")]
    UnknownActor {
        /// The key.
        actor: ActorKey,
    },
    /// Somebody else holds the actor's lease. Wait until it ends, or ask its owner to release it.
    #[error("the actor is owned by {owner:?} until {until}")]
    OwnedElsewhere {
        /// Who.
        owner: String,
        /// Until when.
        until: Time,
    },
    /// The actor was opened again since. Whoever gets this must stop running it.
    #[error("epoch {given} is stale: actor {actor} is at epoch {current}")]
    StaleEpoch {
        /// Whose.
        actor: ActorKey,
        /// The epoch of the write.
        given: Epoch,
        /// The epoch of the owner.
        current: Epoch,
    },
    /// A commit before this one was refused, so what this one was computed from never came to be. Handle its message again.
    #[error("revision {given} of actor {actor} does not follow {last}: a commit before it was refused")]
    PredecessorFailed {
        /// Whose.
        actor: ActorKey,
        /// The revision of the commit.
        given: Revision,
        /// The last revision that was committed.
        last: Revision,
    },
    /// A key is not at the version that the change was made for.
    #[error("key {} is at version {}, expected {}", Printable(key), Found(*found), Found(*expected))]
    VersionMismatch {
        /// Which key.
        key: Vec<u8>,
        /// The version that was expected; `None` if the key was to be absent.
        expected: Option<Revision>,
        /// The version that it has; `None` if it is absent.
        found: Option<Revision>,
    },
    /// The actor would keep more than its quota.
    #[error("{what} would be {wanted}, the quota is {limit}")]
    QuotaExceeded {
        /// The field of [`Quota`](crate::Quota).
        what: &'static str,
        /// What it would be.
        wanted: u64,
        /// What it may be.
        limit: u64,
    },
    /// The mailbox has no room for the message. Send slower or later.
    #[error("the mailbox would hold {wanted} {what}, at most {limit}")]
    MailboxFull {
        /// `messages` or `bytes`.
        what: &'static str,
        /// What it would hold.
        wanted: u64,
        /// What it may hold.
        limit: u64,
    },
    /// The message before it on the same way was not taken, and is in the outbox still. Deliver that one first.
    #[error("message {} of the outbox goes first, and is there still", first.number())]
    OutOfTurn {
        /// Which one.
        first: OutId,
    },
    /// The message that was handled is not in the mailbox any more: it was handled before.
    #[error("actor {actor} has no message at {}", position.seq)]
    NotQueued {
        /// Whose mailbox.
        actor: ActorKey,
        /// Where it was to stand.
        position: Position,
    },
    /// The timer that fired is not set any more, or for another time: it fired before, or was changed.
    #[error("actor {actor} has no timer {name:?} for that time")]
    TimerNotSet {
        /// Whose.
        actor: ActorKey,
        /// Its name.
        name: String,
    },
    /// A note is not what the writer took it for. Read it again.
    #[error("the note {name:?} was changed by somebody else")]
    NoteChanged {
        /// Its name.
        name: String,
    },
    /// A key of that name was made before. Use that one.
    #[error("actor {actor} has a key {name:?} already")]
    KeyExists {
        /// Whose.
        actor: ActorKey,
        /// Its name.
        name: String,
    },
    /// The request of a dead letter came again meanwhile, and waits in the mailbox. Retry the letter when that was handled, or drop it.
    #[error("the same request waits in the mailbox of actor {actor}")]
    RequestWaits {
        /// Whose.
        actor: ActorKey,
    },
    /// What was named is not there.
    #[error("no {what} {name}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
    },
    /// A part is larger than it may be.
    #[error("{what} has {found}, at most {limit}")]
    TooLarge {
        /// Which part, and in what unit.
        what: &'static str,
        /// What it has.
        found: u64,
        /// What it may have.
        limit: u64,
    },
    /// A part breaks a rule.
    #[error("{what} {rule}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// More writes wait than may. Try again in a moment.
    #[error("{limit} {what} wait to be written, no more may")]
    Busy {
        /// `writes` or `bytes`.
        what: &'static str,
        /// How many may.
        limit: u64,
    },
    /// The disk has no room left but what is reserved for finishing work. Make room; the store goes on by itself.
    #[error("the disk has {free} bytes left, {reserve} are reserved for what is queued already")]
    DiskFull {
        /// What is left.
        free: u64,
        /// What is reserved.
        reserve: u64,
    },
    /// The store cannot promise that class.
    #[error("durability {wanted} was asked for, this store has {has} at most")]
    DurabilityMissing {
        /// The class that was asked for.
        wanted: Durability,
        /// The strongest that there is.
        has: Durability,
    },
    /// What is stored is damaged. Only what was named is affected.
    #[error("{0}")]
    Corrupt(Box<Damage>),
    /// A write failed, and nothing is written any more until the store is opened again. What was not acknowledged may
    /// or may not be there then.
    #[error("the store failed and must be opened again: {cause}")]
    Failed {
        /// What the disk said.
        cause: Arc<str>,
    },
    /// A read failed. Another may succeed.
    #[error("reading failed: {cause}")]
    Read {
        /// What the disk said.
        cause: Arc<str>,
    },
    /// The server of the store cannot be reached, or could not do it. Nothing of it was done: try again.
    #[error("the store's server did not do it: {cause}")]
    Unreachable {
        /// What went wrong.
        cause: Arc<str>,
    },
    /// The connection to the store's server broke before it answered, and could not be made again in time. The write may have
    /// happened, or happen until there is a connection again. Open the actor again: nothing that was sent before happens from
    /// then on, and its revision says whether a commit is there.
    #[error("whether it was written is not known: {cause}")]
    Unknown {
        /// What went wrong.
        cause: Arc<str>,
    },
    /// The store is closed or closing.
    #[error("the store is closed")]
    Closed,
    /// This back end does not do that.
    #[error("{what} is not offered by this store")]
    Unsupported {
        /// What.
        what: &'static str,
    },
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::OwnedElsewhere { .. }
            | Self::StaleEpoch { .. }
            | Self::PredecessorFailed { .. }
            | Self::MailboxFull { .. }
            | Self::OutOfTurn { .. }
            | Self::Busy { .. }
            | Self::DiskFull { .. }
            | Self::Failed { .. }
            | Self::Read { .. }
            | Self::Unreachable { .. }
            | Self::Unknown { .. }
            | Self::VersionMismatch { .. }
            | Self::KeyExists { .. }
            | Self::Closed => ErrorKind::Unavailable,
            Self::UnknownActor { .. } | Self::NotQueued { .. } | Self::TimerNotSet { .. } | Self::NotFound { .. } => {
                ErrorKind::NotFound
            }
            Self::QuotaExceeded { .. }
            | Self::RequestWaits { .. }
            | Self::NoteChanged { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::DurabilityMissing { .. } => ErrorKind::InvalidArgument,
            Self::Unsupported { .. } => ErrorKind::NotImplemented,
            Self::Corrupt(_) => ErrorKind::Internal,
        }
    }

    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownActor { .. } => Code::UnknownActor,
            Self::OwnedElsewhere { .. } => Code::ActorOwned,
            Self::StaleEpoch { .. } => Code::StaleEpoch,
            Self::PredecessorFailed { .. } | Self::OutOfTurn { .. } => Code::CommitOrder,
            Self::VersionMismatch { .. }
            | Self::KeyExists { .. }
            | Self::RequestWaits { .. }
            | Self::NoteChanged { .. } => Code::StateConflict,
            Self::QuotaExceeded { .. } => Code::StateQuota,
            Self::MailboxFull { .. } => Code::MailboxFull,
            Self::NotQueued { .. } | Self::TimerNotSet { .. } => Code::AlreadyHandled,
            Self::NotFound { .. } => Code::NotStored,
            Self::TooLarge { .. } | Self::Malformed { .. } => Code::StoreLimit,
            Self::Busy { .. } => Code::StoreBusy,
            Self::DiskFull { .. } => Code::DiskFull,
            Self::DurabilityMissing { .. } => Code::DurabilityMissing,
            Self::Corrupt(_) => Code::StoreCorrupt,
            Self::Failed { .. } => Code::StoreFailed,
            Self::Read { .. } | Self::Unreachable { .. } => Code::StoreUnreachable,
            Self::Unknown { .. } => Code::WriteUnknown,
            Self::Closed => Code::NodeStopping,
            Self::Unsupported { .. } => Code::StoreUnsupported,
        }
    }

    /// Whether the write was refused by a rule, or the store could not do it. After the former all else goes on.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Corrupt(_)
                | Self::Failed { .. }
                | Self::Read { .. }
                | Self::Unreachable { .. }
                | Self::Unknown { .. }
                | Self::Closed
        )
    }
}

impl From<StoreError> for ActorError {
    fn from(error: StoreError) -> Self {
        Self::coded(error.kind(), error.code(), error.to_string())
    }
}

/// Something stored that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// In which file, or on which server.
    pub file: String,
    /// In which table, or which part of the file.
    pub table: String,
    /// In which row, page or offset.
    pub row: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}: {}", self.file, self.table, self.row, self.what)
    }
}

impl From<Damage> for StoreError {
    fn from(damage: Damage) -> Self {
        Self::Corrupt(Box::new(damage))
    }
}

struct Found(Option<Revision>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(revision) => revision.fmt(f),
            None => f.write_str("none"),
        }
    }
}

/// Bytes for people: as text if they are printable, otherwise in hexadecimal; the beginning of long ones.
pub(crate) struct Printable<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_BYTES: usize = 64;
        let shown = &self.0[..self.0.len().min(SHOWN_BYTES)];
        match std::str::from_utf8(shown) {
            Ok(text) if !text.chars().any(char::is_control) => write!(f, "{text:?}")?,
            _ => {
                f.write_str("0x")?;
                for byte in shown {
                    write!(f, "{byte:02x}")?;
                }
            }
        }
        if self.0.len() > SHOWN_BYTES { write!(f, "… ({} bytes)", self.0.len()) } else { Ok(()) }
    }
}
