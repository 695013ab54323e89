//! Packages: bytes, trust policy and time become a [`VerifiedPackage`], or a named refusal.
//!
//! [`verify()`] is the only way to a [`VerifiedPackage`], and whoever holds one holds the very bytes that were hashed: nothing is
//! read from the archive again. Everything that can be said about a package without verifying it is in [`inspect()`], for people
//! to look at. [`Builder`] writes packages that actr 0.3 accepts, [`sign()`] signs what others built, and [`TrustPolicy`] is the
//! data that decides whose packages run.
//!
//! The crate does no I/O and knows no clock. It is not a general reader of ZIP archives: it takes the narrow kind that packages
//! are, in which every byte has one meaning, and refuses all others. It does not decide what a package may do when it runs.
//!
//! ```
//! use bytes::Bytes;
//! use playhouse_crypto::SigningKey;
//! use playhouse_package::{Builder, PackageLimits, TrustPolicy, verify};
//!
//! let key = SigningKey::from_seed(&[7; 32]);
//! let actor_type: playhouse_types::ActorType = "acme:Echo:1.0.0".parse()?;
//! let policy = TrustPolicy::for_key(actor_type.manufacturer().clone(), key.verifying_key());
//! let package = Builder::new(actor_type, "x86_64-unknown-linux-gnu", Bytes::from_static(b"\x7fELF")).build(&key)?;
//!
//! let verified = verify(package.clone(), &policy, 1_700_000_000, &PackageLimits::default())?;
//! assert_eq!(verified.binary(), &b"\x7fELF"[..]);
//!
//! let nobody = TrustPolicy::default();
//! let refused = verify(package, &nobody, 1_700_000_000, &PackageLimits::default()).unwrap_err();
//! assert_eq!(refused.code().text(), "trust-unknown");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod build;
mod fields;
mod fingerprint;
mod inspect;
#[doc(hidden)]
pub mod internal;
mod limits;
mod lock;
mod manifest;
mod package;
mod path;
mod sign;
mod syntax;
mod trust;
mod verify;

pub use archive::{ArchiveError, EntryFault, HeaderField};
pub use build::{BuildError, Builder};
pub use fields::FieldError;
pub use fingerprint::{FingerprintError, PROTO_BYTES_MAX, file_fingerprint, service_fingerprint};
pub use inspect::{InspectedFile, Inspection, inspect};
pub use limits::PackageLimits;
pub use lock::{Dependency, LockError, LockFile};
pub use manifest::{
    AskedLimit, BinaryKind, Extension, ListedBinary, ListedFile, ListedKey, ListedProto, Manifest, ManifestError,
    PackageConcurrency,
};
pub use package::{Signer, VerifiedPackage};
pub use path::{EntryPath, PathError};
pub use sign::{SignError, sign};
pub use trust::{TrustPolicy, TrustPolicyError, TrustedKey, compare_versions};
pub use verify::{FileRole, VerifyError, verify};
