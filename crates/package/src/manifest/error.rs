use playhouse_crypto::{DigestParseError, KeyIdParseError};
use playhouse_types::ParseError;

use super::{AskedLimit, BinaryKind};
use crate::path::PathError;

/// Which rule a manifest breaks. The package was built wrongly: do not retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The manifest has more bytes than the limit.
    #[error("manifest has more than {limit} bytes")]
    TooLarge {
        /// Bytes that it may have.
        limit: u64,
    },
    /// The manifest is not UTF-8.
    #[error("manifest is not UTF-8 from byte {offset}")]
    NotUtf8 {
        /// The first byte that is wrong.
        offset: usize,
    },
    /// The manifest is not TOML, a key is missing, or a value has another type than it should.
    #[error("manifest line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// Manufacturer, name or version break the rules for names.
    #[error("manifest: {0}")]
    ActorType(#[source] ParseError),
    /// Only Ed25519 signatures exist.
    #[error("manifest: signature_algorithm is {found:?}, not \"ed25519\"")]
    SignatureAlgorithm {
        /// The algorithm that it names.
        found: String,
    },
    /// The key id is malformed.
    #[error("manifest: signing_key_id {found:?} {rule}")]
    SigningKeyId {
        /// The text.
        found: String,
        /// The rule.
        rule: KeyIdParseError,
    },
    /// A listed path could leave a directory, or mean different things on different systems.
    #[error("manifest: {key} {path:?} {rule}")]
    Path {
        /// The key that holds it.
        key: ListedKey,
        /// The text.
        path: String,
        /// The rule.
        rule: PathError,
    },
    /// A digest is malformed.
    #[error("manifest: {key} {found:?} {rule}")]
    Hash {
        /// The key that holds it.
        key: ListedKey,
        /// The text.
        found: String,
        /// The rule.
        rule: DigestParseError,
    },
    /// A listed path is that of the manifest or its signature.
    #[error("manifest: {key} {path:?} is reserved")]
    ReservedPath {
        /// The key that holds it.
        key: ListedKey,
        /// The text.
        path: String,
    },
    /// A path or proto name is listed twice.
    #[error("manifest: {key} {path:?} is listed twice")]
    Duplicate {
        /// The key of the second.
        key: ListedKey,
        /// The text.
        path: String,
    },
    /// More files are listed than allowed.
    #[error("manifest lists {files} files, the limit is {limit}")]
    TooManyFiles {
        /// Files that it lists.
        files: usize,
        /// Files that it may list.
        limit: usize,
    },
    /// The target is not a plausible triple.
    #[error("manifest: binary.target {found:?} is not a target triple")]
    Target {
        /// The text.
        found: String,
    },
    /// The kind is not one of the three.
    #[error("manifest: binary.kind {found:?} is not component, core-module or native-cdylib")]
    Kind {
        /// The text.
        found: String,
    },
    /// The kind and the target contradict each other.
    #[error("manifest: binary.kind {kind} contradicts binary.target {target:?}")]
    KindContradictsTarget {
        /// The kind.
        kind: BinaryKind,
        /// The target.
        target: String,
    },
    /// `x_playhouse.grants` has too many or too long grants.
    #[error(
        "manifest: x_playhouse.grants has more than {count} grants, or one that is empty or longer than {bytes} bytes"
    )]
    Grants {
        /// Grants that there may be.
        count: usize,
        /// Bytes that one may have.
        bytes: usize,
    },
    /// `x_playhouse.concurrency` is none of its forms.
    #[error(
        "manifest: x_playhouse.concurrency is not \"serial\", {{ concurrent = 1..{limit} }} or {{ keyed = \"sender\" or a field path }}"
    )]
    Concurrency {
        /// The largest number.
        limit: u32,
    },
    /// `x_playhouse.limits` has a key that this version does not know. It may be misspelt, or of a later version.
    #[error("manifest: x_playhouse.limits has no key {found:?}; there are {}", known_limits())]
    UnknownLimit {
        /// The key.
        found: String,
    },
    /// A limit is not a whole number from 1 on.
    #[error("manifest: x_playhouse.limits.{limit} is {found}, not a whole number from 1 on")]
    Limit {
        /// Which limit.
        limit: AskedLimit,
        /// What stands there.
        found: String,
    },
}

fn known_limits() -> String {
    AskedLimit::ALL.iter().map(|limit| limit.name()).collect::<Vec<_>>().join(", ")
}

impl ManifestError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> playhouse_types::Code {
        use playhouse_types::Code;
        match self {
            Self::TooLarge { .. } | Self::TooManyFiles { .. } => Code::PackageLimit,
            Self::KindContradictsTarget { .. } => Code::PackageKind,
            _ => Code::PackageManifest,
        }
    }
}

impl From<crate::syntax::Located> for ManifestError {
    fn from(located: crate::syntax::Located) -> Self {
        Self::Syntax { line: located.line, message: located.message }
    }
}

/// A key of the manifest that names a file or a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListedKey {
    /// `binary.path`
    #[error("binary.path")]
    BinaryPath,
    /// `binary.hash`
    #[error("binary.hash")]
    BinaryHash,
    /// `resources[].path`
    #[error("resources[{0}].path")]
    ResourcePath(usize),
    /// `resources[].hash`
    #[error("resources[{0}].hash")]
    ResourceHash(usize),
    /// `proto_files[].name`
    #[error("proto_files[{0}].name")]
    ProtoName(usize),
    /// `proto_files[].path`
    #[error("proto_files[{0}].path")]
    ProtoPath(usize),
    /// `proto_files[].hash`
    #[error("proto_files[{0}].hash")]
    ProtoHash(usize),
    /// `lock_file.path`
    #[error("lock_file.path")]
    LockPath,
    /// `lock_file.hash`
    #[error("lock_file.hash")]
    LockHash,
}
