use playhouse_crypto::{Digest, KeyId};
use playhouse_types::{ActorError, ActorType, Code, ErrorKind, Name, Version};

use crate::archive::{ArchiveError, EntryFault};
use crate::lock::LockError;
use crate::manifest::ManifestError;
use crate::path::EntryPath;

/// What a listed file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FileRole {
    /// The program.
    #[error("binary")]
    Binary,
    /// A resource.
    #[error("resource")]
    Resource,
    /// A proto source file.
    #[error("proto file")]
    Proto,
    /// The lock file.
    #[error("lock file")]
    Lock,
}

/// Why a package is refused. Every variant is one reason; none is worth another try with the same bytes and policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file is not an archive that a package may be. It is damaged, or made to confuse.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is no `manifest.sig`. The package was never signed, or its signature was taken away.
    #[error("package is not signed: it has no manifest.sig")]
    SignatureMissing,
    /// `manifest.sig` is not a signature.
    #[error("manifest.sig has {found} bytes, not 64")]
    SignatureLength {
        /// Bytes that it has.
        found: u64,
    },
    /// There is no `manifest.toml`.
    #[error("package has no manifest.toml")]
    ManifestMissing,
    /// The manifest was altered, or signed with another key than it names.
    #[error("signature does not belong to the manifest{}", with_key(key.as_ref()))]
    SignatureInvalid {
        /// The key that the manifest names.
        key: Option<KeyId>,
    },
    /// The policy trusts no key for the manufacturer.
    #[error("manufacturer {manufacturer} is not trusted{}", with_key(key.as_ref()))]
    ManufacturerUnknown {
        /// Who claims to have published it.
        manufacturer: Name,
        /// The key that the manifest names.
        key: Option<KeyId>,
    },
    /// The policy trusts keys for the manufacturer, but not this one.
    #[error("key {key} is not trusted for manufacturer {manufacturer}")]
    KeyUnknown {
        /// Who claims to have published it.
        manufacturer: Name,
        /// The key that it says to be signed with.
        key: KeyId,
    },
    /// The manifest names another key than the one that signed it.
    #[error("manifest names key {named}, but is signed with {key}")]
    KeyIdMismatch {
        /// The key that it names.
        named: KeyId,
        /// The key that signed it.
        key: KeyId,
    },
    /// The key was revoked.
    #[error("key {key} is revoked")]
    KeyRevoked {
        /// The key.
        key: KeyId,
    },
    /// The time of the key has not come.
    #[error("key {key} is valid from {not_before}, it is {now} now (seconds since 1970)")]
    KeyNotYetValid {
        /// The key.
        key: KeyId,
        /// The first second of its time.
        not_before: u64,
        /// The time given.
        now: u64,
    },
    /// The time of the key is over.
    #[error("key {key} was valid until {not_after}, it is {now} now (seconds since 1970)")]
    KeyExpired {
        /// The key.
        key: KeyId,
        /// The first second after its time.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// The manifest breaks a rule, though it is signed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// This very package was revoked.
    #[error("package with manifest {manifest} is revoked")]
    PackageRevoked {
        /// The digest of its manifest.
        manifest: Digest,
    },
    /// The version is older than the lowest allowed one.
    #[error("{actor_type} is older than {minimum}, the lowest version allowed")]
    Rollback {
        /// What the package is.
        actor_type: ActorType,
        /// The lowest version.
        minimum: Version,
    },
    /// More entries are not listed than allowed. They are never used, so somebody added them for another reader.
    #[error("archive has {entries} entries that the manifest does not list, the limit is {limit}")]
    TooManyUnlisted {
        /// Entries that are not listed.
        entries: usize,
        /// Entries that there may be.
        limit: usize,
    },
    /// The listed files are larger than allowed, alone or together.
    #[error("{path}: files unpack to more than {limit} bytes")]
    ContentTooLarge {
        /// The file that goes over the limit.
        path: EntryPath,
        /// Bytes that they may have together.
        limit: u64,
    },
    /// A listed file is not there.
    #[error("{path}: the {role} is not in the archive")]
    FileMissing {
        /// The file.
        path: EntryPath,
        /// What it is for.
        role: FileRole,
    },
    /// A file is not the one that was signed.
    #[error("{path}: digest of the {role} is {found}, manifest says {expected}")]
    DigestMismatch {
        /// The file.
        path: EntryPath,
        /// What it is for.
        role: FileRole,
        /// The digest in the manifest.
        expected: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// The binary has another size than the manifest says, though its digest is right.
    #[error("binary has {found} bytes, manifest says {expected}")]
    BinarySize {
        /// Bytes that it has.
        found: u64,
        /// Bytes that the manifest says.
        expected: u64,
    },
    /// A proto file is not text.
    #[error("{path}: proto file is not UTF-8")]
    ProtoNotUtf8 {
        /// The file.
        path: EntryPath,
    },
    /// The lock file breaks a rule.
    #[error(transparent)]
    Lock(#[from] LockError),
}

fn with_key(key: Option<&KeyId>) -> String {
    key.map(|key| format!(" (it names key {key})")).unwrap_or_default()
}

impl VerifyError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Archive(error) => archive_code(error),
            Self::Manifest(error) => error.code(),
            Self::SignatureMissing | Self::ManifestMissing => Code::PackageIncomplete,
            Self::SignatureLength { .. } | Self::SignatureInvalid { .. } | Self::KeyIdMismatch { .. } => {
                Code::PackageSignature
            }
            Self::ManufacturerUnknown { .. } | Self::KeyUnknown { .. } => Code::TrustUnknown,
            Self::KeyRevoked { .. } => Code::TrustRevokedKey,
            Self::KeyNotYetValid { .. } | Self::KeyExpired { .. } => Code::TrustExpired,
            Self::PackageRevoked { .. } => Code::TrustRevokedPackage,
            Self::Rollback { .. } => Code::TrustRollback,
            Self::TooManyUnlisted { .. } | Self::ContentTooLarge { .. } => Code::PackageLimit,
            Self::FileMissing { .. } => Code::PackageMissingFile,
            Self::DigestMismatch { .. } => Code::PackageDigest,
            Self::BinarySize { .. } | Self::ProtoNotUtf8 { .. } | Self::Lock(_) => Code::PackageManifest,
        }
    }
}

const fn archive_code(error: &ArchiveError) -> Code {
    match error {
        ArchiveError::TooLarge { .. } | ArchiveError::TooManyEntries { .. } => Code::PackageLimit,
        ArchiveError::Entry { fault: EntryFault::Ratio { .. } | EntryFault::InflatesToMore { .. }, .. } => {
            Code::PackageLimit
        }
        ArchiveError::Entry { .. }
        | ArchiveError::Duplicate { .. }
        | ArchiveError::CaseClash { .. }
        | ArchiveError::FileAndDirectory { .. } => Code::PackageEntry,
        _ => Code::PackageArchive,
    }
}

impl From<VerifyError> for ActorError {
    fn from(error: VerifyError) -> Self {
        let kind = match error.code() {
            Code::TrustUnknown
            | Code::TrustRevokedKey
            | Code::TrustRevokedPackage
            | Code::TrustExpired
            | Code::TrustRollback => ErrorKind::PermissionDenied,
            _ => ErrorKind::InvalidArgument,
        };
        Self::coded(kind, error.code(), error.to_string())
    }
}
