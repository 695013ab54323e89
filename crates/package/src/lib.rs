//! Packages: bytes, trust policy and time become a [`VerifiedPackage`], or a named refusal.

mod archive;
mod build;
mod fingerprint;
mod inspect;
mod limits;
mod lock;
mod manifest;
mod package;
mod path;
mod syntax;
mod trust;
mod verify;

pub use archive::{ArchiveError, EntryFault, HeaderField};
pub use build::{BuildError, Builder};
pub use fingerprint::{FingerprintError, PROTO_BYTES_MAX, file_fingerprint, service_fingerprint};
pub use inspect::{InspectedFile, Inspection, inspect};
pub use limits::PackageLimits;
pub use lock::{Dependency, LockError, LockFile};
pub use manifest::{
    BinaryKind, Extension, ListedBinary, ListedFile, ListedKey, ListedProto, Manifest, ManifestError,
    PackageConcurrency,
};
pub use package::{Signer, VerifiedPackage};
pub use path::{EntryPath, PathError};
pub use trust::{TrustPolicy, TrustPolicyError, TrustedKey, compare_versions};
pub use verify::{FileRole, VerifyError, verify};
