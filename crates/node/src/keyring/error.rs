use playhouse_crypto::{KeyKind, KeyRecordError, MasterKeyId, VaultError};
use playhouse_store::StoreError;
use playhouse_types::{ActorError, Code};

/// Why an operator's work on the keys of actors was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The store has keys under a master key that was not given. Give it: as the current one, or as a former one.
    #[error("keys in the store are sealed under master key {missing}, given was {given}")]
    MasterKeyMissing {
        /// The key that is needed.
        missing: MasterKeyId,
        /// Which were given.
        given: String,
    },
    /// The node keeps no store, and so no keys.
    #[error("the node keeps no store, and so no keys")]
    NoStore,
    /// The node has no master key, and so its actors have no keys.
    #[error("the node has no master key")]
    NoMasterKey,
    /// The master key was changed many times and the store never sealed anew. Do that first.
    #[error("keys in the store may be sealed under {limit} former master keys, no more; seal them anew first")]
    TooManyMasterKeys {
        /// The limit.
        limit: usize,
    },
    /// The note that says which master keys are in use is damaged, or of a newer version.
    #[error("the note {name:?} in the store is not one of this version")]
    Note {
        /// Its name.
        name: &'static str,
    },
    /// The actor has no such key.
    #[error("there is no {kind} key {name:?}")]
    NoKey {
        /// Which kind.
        kind: KeyKind,
        /// Its name.
        name: String,
    },
    /// Others change the key at the same time. Try again.
    #[error("the {kind} key {name:?} is being changed by others")]
    Contended {
        /// Which kind.
        kind: KeyKind,
        /// Its name.
        name: String,
    },
    /// What is kept as a key is none.
    #[error(transparent)]
    Record(#[from] KeyRecordError),
    /// The key does not open, or cannot have another version.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed. What was sealed anew stays so; go on by doing it again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyringError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoStore => Code::StoreMissing,
            Self::NoMasterKey => Code::KeyMasterMissing,
            Self::MasterKeyMissing { .. } | Self::TooManyMasterKeys { .. } => Code::KeyMaster,
            Self::Note { .. } => Code::StoreCorrupt,
            Self::NoKey { .. } => Code::NotStored,
            Self::Contended { .. } => Code::StateConflict,
            Self::Record(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl From<KeyringError> for ActorError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Record(error) => error.into(),
            KeyringError::Vault(error) => error.into(),
            KeyringError::Store(error) => error.into(),
            error => Self::coded(playhouse_types::ErrorKind::Unavailable, error.code(), error.to_string()),
        }
    }
}
