use playhouse_types::{ActorError, Code, ErrorKind};

use super::material::KeyKind;
use crate::master::MasterKeyId;

/// Why bytes are not a key record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// The bytes are too few for any record, or not as many as the record says.
    #[error("key record has {found} bytes{}", expected.map(|bytes| format!(", not {bytes}")).unwrap_or_default())]
    Length {
        /// Bytes that there are.
        found: usize,
        /// Bytes that a record with so many versions has, if it got so far.
        expected: Option<usize>,
    },
    /// The bytes are something else, or a record of a newer program.
    #[error("key record is not of format 1")]
    Format,
    /// No kind of key has the number.
    #[error("key record is of kind {found}, which is not known")]
    Kind {
        /// The number.
        found: u8,
    },
    /// It is unknown who has the key.
    #[error("key record is of scope {found}, which is not known")]
    Scope {
        /// The number.
        found: u8,
    },
    /// A key of that kind cannot be shared.
    #[error("key record has a shared {kind} key")]
    SharedKind {
        /// The kind.
        kind: KeyKind,
    },
    /// The numbers of versions do not fit each other or the limit.
    #[error("key record has {count} versions up to {newest}")]
    Versions {
        /// How many.
        count: u8,
        /// The newest.
        newest: u32,
    },
}

impl KeyRecordError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::KeyRecord
    }
}

impl From<KeyRecordError> for ActorError {
    fn from(error: KeyRecordError) -> Self {
        Self::coded(ErrorKind::Internal, error.code(), error.to_string())
    }
}

/// Why a key record cannot be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key is for something else.
    #[error("key is a {found} key, not a {expected} key")]
    OtherKind {
        /// What was asked for.
        expected: KeyKind,
        /// What it is.
        found: KeyKind,
    },
    /// The name belongs to a key of the actor alone, and this one is shared with a peer; or the other way round.
    #[error("a key that the actor has alone and one that it shares with a peer cannot have one name")]
    OtherScope,
    /// The record was sealed under another master key. It opens with that one, and can then be taken over.
    #[error("key record is sealed under master key {found}, this node has {expected}")]
    OtherMaster {
        /// Under which it is sealed.
        found: MasterKeyId,
        /// Which there is.
        expected: MasterKeyId,
    },
    /// The records of one actor are not another's.
    #[error("key records can be taken over only by the same actor")]
    OtherActor,
    /// The record was altered, or belongs to another actor or another name.
    #[error("key record does not open: it was altered, or made for another actor or name")]
    DoesNotOpen,
    /// The key has as many versions as are kept. Retire old ones first.
    #[error("key has {limit} versions, no more are kept; retire old ones")]
    TooManyVersions {
        /// The limit.
        limit: usize,
    },
    /// The source of randomness gave nothing.
    #[error("the source of randomness does not work")]
    Entropy,
}

impl VaultError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherKind { .. } | Self::OtherScope => Code::KeyKind,
            Self::OtherMaster { .. } => Code::KeyMaster,
            Self::OtherActor | Self::DoesNotOpen => Code::KeyRecord,
            Self::TooManyVersions { .. } => Code::KeyVersions,
            Self::Entropy => Code::Entropy,
        }
    }
}

impl From<VaultError> for ActorError {
    fn from(error: VaultError) -> Self {
        let kind = match error {
            VaultError::OtherKind { .. } | VaultError::OtherScope => ErrorKind::InvalidArgument,
            _ => ErrorKind::Internal,
        };
        Self::coded(kind, error.code(), error.to_string())
    }
}

/// Why an operation with a key failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyUseError {
    /// One operation takes only so much.
    #[error("{what} has {found} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Bytes that it has.
        found: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// The bytes were not made by sealing.
    #[error("ciphertext is not sealed data of format 1")]
    NotSealed,
    /// The data was sealed with a key, or a version of this key, that is not here.
    #[error("ciphertext was sealed with another key, or with a version of this one that was retired")]
    OtherKey,
    /// A byte of the ciphertext was altered, or the context is another.
    #[error("ciphertext does not open: it or its context was altered")]
    Altered,
    /// A public key, signature or tag has the wrong length or form.
    #[error("{what} is malformed")]
    Malformed {
        /// What it is.
        what: &'static str,
    },
    /// The peer's public key makes the outcome the same for everybody.
    #[error("public key of the peer is of small order")]
    SmallOrder,
    /// The public key is not one of this key's versions.
    #[error("public key is not a version of this agreement key")]
    NotOurs,
    /// The source of randomness gave nothing.
    #[error("the source of randomness does not work")]
    Entropy,
}

impl KeyUseError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::KeyInput,
            Self::NotSealed | Self::OtherKey | Self::Altered => Code::SealedData,
            Self::Malformed { .. } | Self::SmallOrder | Self::NotOurs => Code::KeyPublic,
            Self::Entropy => Code::Entropy,
        }
    }

    pub(crate) const fn check(what: &'static str, found: usize, limit: usize) -> Result<(), Self> {
        if found > limit { Err(Self::TooLarge { what, found, limit }) } else { Ok(()) }
    }
}

impl From<KeyUseError> for ActorError {
    fn from(error: KeyUseError) -> Self {
        let kind = match error {
            KeyUseError::Entropy => ErrorKind::Internal,
            _ => ErrorKind::InvalidArgument,
        };
        Self::coded(kind, error.code(), error.to_string())
    }
}
