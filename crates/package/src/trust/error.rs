use playhouse_crypto::PublicKeyError;
use playhouse_types::{Code, ParseError};

/// Why a trust file cannot be used. Nothing of it is used then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustPolicyError {
    /// The file is larger than [`TrustPolicy::FILE_BYTES_MAX`](super::TrustPolicy::FILE_BYTES_MAX).
    #[error("trust file has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes in the file.
        bytes: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// The file is not TOML, has an unknown key, or a value has another type than it should.
    #[error("trust file line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A manufacturer's or type's name breaks the rules for names.
    #[error("trust file: {0}")]
    Name(#[source] ParseError),
    /// A manufacturer has more than one table.
    #[error("trust file: manufacturer {name} is there twice")]
    ManufacturerTwice {
        /// Its name.
        name: String,
    },
    /// A public key is malformed or unsafe.
    #[error("trust file: {of}: {rule}")]
    PublicKey {
        /// Whose.
        of: String,
        /// The rule.
        rule: PublicKeyError,
    },
    /// The id beside a public key is not that of the key.
    #[error("trust file: {of}: id is {found:?}, the key's is {expected}")]
    KeyId {
        /// Whose.
        of: String,
        /// The text.
        found: String,
        /// The id of the key.
        expected: playhouse_crypto::KeyId,
    },
    /// A date has no time or no offset, or is before 1970.
    #[error("trust file: {of}: {key} is not a date with time and offset after 1970")]
    Instant {
        /// Whose.
        of: String,
        /// `not_before` or `not_after`.
        key: &'static str,
    },
    /// The time of a key ends before it begins.
    #[error("trust file: {of}: not_after is not later than not_before")]
    EmptyTime {
        /// Whose.
        of: String,
    },
    /// More keys than [`TrustPolicy::KEYS_MAX`](super::TrustPolicy::KEYS_MAX).
    #[error("trust file has {keys} keys, the limit is {limit}")]
    TooManyKeys {
        /// Keys in the file.
        keys: usize,
        /// Keys that there may be.
        limit: usize,
    },
    /// A revoked key is not a key id.
    #[error("trust file: revoked_keys: {found:?} is not a key id")]
    RevokedKey {
        /// The text.
        found: String,
    },
    /// A revoked package is not a digest.
    #[error("trust file: revoked_packages: {found:?} is not a digest of a manifest")]
    RevokedPackage {
        /// The text.
        found: String,
    },
    /// A minimum is not for a `manufacturer:name`.
    #[error("trust file: minimum: type {found:?} is not manufacturer:name")]
    MinimumType {
        /// The text.
        found: String,
    },
    /// A type has more than one minimum.
    #[error("trust file: minimum: {of} is there twice")]
    MinimumTwice {
        /// The type.
        of: String,
    },
    /// A `[[trust]]` table of kind `registry` asks a server for keys, but verification works without any network.
    #[error(
        "trust file: [[trust]] of kind \"registry\" asks {endpoint:?} for keys; pin them here as [[manufacturer.key]] instead"
    )]
    Registry {
        /// The server.
        endpoint: String,
    },
    /// A `[[trust]]` table is of an unknown kind.
    #[error("trust file: [[trust]] of unknown kind {found:?}")]
    UnknownKind {
        /// The kind.
        found: String,
    },
    /// A static `[[trust]]` table has neither `pubkey_b64` nor `pubkey_file`.
    #[error("trust file: [[trust]] has neither pubkey_b64 nor pubkey_file")]
    NoKey,
    /// The key file of a static `[[trust]]` table could not be read, or is not one.
    #[error("trust file: [[trust]]: key file {path:?}: {reason}")]
    KeyFile {
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl TrustPolicyError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::TrustPolicy
    }
}

impl From<crate::syntax::Located> for TrustPolicyError {
    fn from(located: crate::syntax::Located) -> Self {
        Self::Syntax { line: located.line, message: located.message }
    }
}
