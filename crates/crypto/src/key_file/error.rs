use playhouse_types::Code;

use crate::key_id::KeyId;
use crate::sign::PublicKeyError;

/// Why a key file cannot be used. No variant holds any of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file is larger than any key file.
    #[error("key file has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes in the file.
        bytes: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// The file is not JSON, or a member has the wrong type.
    #[error("key file is not the JSON of one, from line {line} column {column}")]
    Json {
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
    },
    /// The file has none of the members that keys are in.
    #[error("key file has neither private_key nor public_key")]
    NoKey,
    /// The private key is not standard base64.
    #[error("private_key is not standard base64")]
    PrivateKeyBase64,
    /// The private key has another length.
    #[error("private_key has {found} bytes, not 32")]
    PrivateKeyLength {
        /// Bytes that it has.
        found: usize,
    },
    /// A public key is malformed or unsafe.
    #[error("{member}: {rule}")]
    PublicKey {
        /// The member that holds it.
        member: &'static str,
        /// The rule.
        rule: PublicKeyError,
    },
    /// The keys in the file do not belong together.
    #[error("{member} is not the public half of the key in the file")]
    KeysDiffer {
        /// The member that differs.
        member: &'static str,
    },
    /// The key id in a certificate is not that of its key.
    #[error("certificate.key_id is not {expected}, the id of its key")]
    KeyIdDiffers {
        /// The id of the key.
        expected: KeyId,
    },
    /// The sealed form is newer than this program.
    #[error("sealed key has version {found}, this program reads version 1")]
    Version {
        /// The version.
        found: u64,
    },
    /// The way in which the sealing key is derived is unknown.
    #[error("sealed key is not derived with argon2id")]
    Kdf,
    /// A cost of the derivation is too low to protect, or high enough to hurt.
    #[error("sealed key: kdf.{member} is {found}, it must be from {min} to {max}")]
    KdfCost {
        /// Which cost.
        member: &'static str,
        /// Its value.
        found: u32,
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
    },
    /// A member of the sealed form is not base64 of the right length.
    #[error("sealed key: {member} is not {bytes} bytes in standard base64")]
    Member {
        /// Which member.
        member: &'static str,
        /// Bytes that it must have.
        bytes: usize,
    },
    /// It is unknown what opens the key.
    #[error("sealed key opens neither with a passphrase nor with a key file")]
    SecretKind,
    /// A passphrase was given for a key that opens with a key file, or the other way round.
    #[error("sealed key opens with a {expected}")]
    OtherSecret {
        /// What it opens with.
        expected: &'static str,
    },
    /// The secret is shorter than what protects anything.
    #[error("{kind} has {found} bytes, at least {min} are needed")]
    SecretTooShort {
        /// What kind it is.
        kind: &'static str,
        /// Bytes that it has.
        found: usize,
        /// Bytes that it must have.
        min: usize,
    },
    /// The secret does not open the key, or the file was altered.
    #[error("the {kind} does not open the key")]
    WrongSecret {
        /// What kind it is.
        kind: &'static str,
    },
    /// The text is no master key in either of its forms.
    #[error("master key is neither a line that begins with playhouse-master-key-1: nor a sealed master key")]
    NoMasterKey,
    /// The text behind the prefix of a master key is not 32 random bytes in base64.
    #[error("master key is not 32 random bytes in standard base64")]
    MasterKeyText,
    /// The id of a sealed master key is malformed.
    #[error("sealed master key: key_id is not 16 lower-case hexadecimal digits")]
    MasterKeyId,
    /// The source of randomness gave nothing.
    #[error("the source of randomness does not work")]
    Entropy,
    /// There is no memory for the derivation.
    #[error("not enough memory to derive the sealing key")]
    OutOfMemory,
}

impl KeyFileError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::WrongSecret { .. } | Self::SecretTooShort { .. } | Self::OtherSecret { .. } => Code::KeyPassphrase,
            Self::Entropy => Code::Entropy,
            _ => Code::KeyFile,
        }
    }
}
