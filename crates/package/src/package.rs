use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use playhouse_crypto::{Digest, KeyId, Signature};
use playhouse_types::ActorType;

use crate::lock::LockFile;
use crate::manifest::{BinaryKind, Extension, Manifest};
use crate::path::EntryPath;

/// Who vouches for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signer {
    /// A trusted key.
    Key(KeyId),
    /// Nobody: the policy accepts unsigned packages for development.
    DangerUnsigned,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "{id}"),
            Self::DangerUnsigned => f.write_str("nobody (danger_accept_unsigned_for_development)"),
        }
    }
}

/// A package whose structure, signature, trust and digests were checked, and the very bytes that were hashed. Only
/// [`verify`](crate::verify()) makes one. Cloning is cheap.
#[derive(Clone)]
pub struct VerifiedPackage(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) manifest: Manifest,
    pub(crate) binary: Bytes,
    pub(crate) files: BTreeMap<EntryPath, Bytes>,
    pub(crate) lock: Option<LockFile>,
    pub(crate) digest: Digest,
    pub(crate) signature: Option<Signature>,
    pub(crate) signer: Signer,
}

impl VerifiedPackage {
    pub(crate) const fn new(parts: Arc<Parts>) -> Self {
        Self(parts)
    }

    /// What the package is.
    #[must_use]
    pub fn actor_type(&self) -> &ActorType {
        &self.0.manifest.actor_type
    }

    /// The whole manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The program: the bytes that were hashed.
    #[must_use]
    pub fn binary(&self) -> &Bytes {
        &self.0.binary
    }

    /// The digest of the program.
    #[must_use]
    pub fn binary_digest(&self) -> Digest {
        self.0.manifest.binary.file.digest
    }

    /// The form of the program. It fits the target.
    #[must_use]
    pub fn kind(&self) -> BinaryKind {
        self.0.manifest.binary.kind
    }

    /// The target triple that the program was built for.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.manifest.binary.target
    }

    /// The proto sources: names and texts, in the order of the manifest.
    pub fn protos(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.manifest.protos.iter().filter_map(|proto| {
            let text = str::from_utf8(self.0.files.get(&proto.file.path)?).ok()?;
            Some((proto.name.as_str(), text))
        })
    }

    /// The resources, in the order of the manifest.
    pub fn resources(&self) -> impl Iterator<Item = (&EntryPath, &Bytes)> {
        self.0.manifest.resources.iter().filter_map(|file| self.0.files.get_key_value(&file.path))
    }

    /// The dependencies, if the manifest lists a lock file.
    #[must_use]
    pub fn lock(&self) -> Option<&LockFile> {
        self.0.lock.as_ref()
    }

    /// What only Playhouse reads.
    #[must_use]
    pub fn extension(&self) -> &Extension {
        &self.0.manifest.extension
    }

    /// The name of the whole package: the digest of its manifest, which holds the digests of all files.
    #[must_use]
    pub fn package_digest(&self) -> Digest {
        self.0.digest
    }

    /// Who vouches for it.
    #[must_use]
    pub fn signed_by(&self) -> Signer {
        self.0.signer
    }

    /// The signature over [`Manifest::raw`], which an identity service wants to see. It was checked only if
    /// [`Self::signed_by`] names a key.
    #[must_use]
    pub fn signature(&self) -> Option<&Signature> {
        self.0.signature.as_ref()
    }

    /// All files that the manifest lists, to be written where nobody else can write. Only these bytes were checked; the archive
    /// must not be read again.
    pub fn files(&self) -> impl Iterator<Item = (EntryPath, &Bytes)> {
        self.0.files.iter().map(|(path, bytes)| (path.clone(), bytes))
    }
}

impl fmt::Debug for VerifiedPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPackage")
            .field("actor_type", self.actor_type())
            .field("kind", &self.kind())
            .field("target", &self.target())
            .field("digest", &self.0.digest)
            .field("signer", &self.0.signer)
            .finish_non_exhaustive()
    }
}
