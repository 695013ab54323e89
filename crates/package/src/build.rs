//! Writes packages that actr 0.3 accepts.

mod text;
mod zip;

use bytes::Bytes;
use playhouse_crypto::{Digest, SigningKey};
use playhouse_types::ActorType;

use crate::lock::{LockError, LockFile};
use crate::manifest::{BinaryKind, Extension, LOCK_PATH, MANIFEST_PATH, Manifest, ManifestError, SIGNATURE_PATH};
use crate::path::{EntryPath, PathError};

/// Why a package cannot be built. Nobody could load it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The manifest would break a rule.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The lock file breaks a rule.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A path breaks a rule.
    #[error("{path:?} {rule}")]
    Path {
        /// The text.
        path: String,
        /// The rule.
        rule: PathError,
    },
    /// The package does not fit into an archive without ZIP64.
    #[error("package is larger than 4 GiB or has more than 65534 entries")]
    TooLarge,
}

/// What a package is made of. The same parts and the same key give the same bytes.
#[derive(Debug, Clone)]
pub struct Builder {
    actor_type: ActorType,
    target: String,
    binary: Bytes,
    kind: Option<BinaryKind>,
    resources: Vec<(String, Bytes)>,
    protos: Vec<(String, String)>,
    lock: Option<String>,
    description: Option<String>,
    license: Option<String>,
    extension: Extension,
}

impl Builder {
    /// Where the program goes: where the tool of actr 0.3 puts it.
    const BINARY_PATH: &'static str = "bin/actor.wasm";

    /// A package with a program built for `target`, which says nothing else.
    #[must_use]
    pub fn new(actor_type: ActorType, target: &str, binary: Bytes) -> Self {
        Self {
            actor_type,
            target: target.to_owned(),
            binary,
            kind: None,
            resources: Vec::new(),
            protos: Vec::new(),
            lock: None,
            description: None,
            license: None,
            extension: Extension::default(),
        }
    }

    /// Says what form the program has. Needed for components; else it follows from the target.
    #[must_use]
    pub fn kind(mut self, kind: BinaryKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn resource(mut self, path: &str, contents: Bytes) -> Self {
        self.resources.push((path.to_owned(), contents));
        self
    }

    /// Adds a proto source under the name by which fingerprints know it, such as `echo.proto`.
    #[must_use]
    pub fn proto(mut self, name: &str, text: &str) -> Self {
        self.protos.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Adds the text of a lock file.
    #[must_use]
    pub fn lock(mut self, text: &str) -> Self {
        self.lock = Some(text.to_owned());
        self
    }

    /// Says what it does, for people.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// Says under which license it is.
    #[must_use]
    pub fn license(mut self, text: &str) -> Self {
        self.license = Some(text.to_owned());
        self
    }

    /// Says what only Playhouse reads.
    #[must_use]
    pub fn extension(mut self, extension: Extension) -> Self {
        self.extension = extension;
        self
    }

    /// The package, signed.
    ///
    /// # Errors
    /// Names the rule that the parts break.
    pub fn build(&self, key: &SigningKey) -> Result<Bytes, BuildError> {
        let manifest = self.manifest(Some(key))?;
        self.archive(&manifest, Some(key.sign(manifest.as_bytes()).as_bytes()))
    }

    /// The package without a signature. Only a policy for development accepts it.
    ///
    /// # Errors
    /// Names the rule that the parts break.
    pub fn build_unsigned(&self) -> Result<Bytes, BuildError> {
        self.archive(&self.manifest(None)?, None)
    }

    /// The text of the manifest, which a reader of ours has been made to accept.
    fn manifest(&self, key: Option<&SigningKey>) -> Result<String, BuildError> {
        if let Some(lock) = &self.lock {
            LockFile::parse(lock.as_bytes())?;
        }
        let text = text::manifest(self, key.map(SigningKey::key_id));
        Manifest::parse(Bytes::copy_from_slice(text.as_bytes()))?;
        Ok(text)
    }

    fn archive(&self, manifest: &str, signature: Option<&[u8; 64]>) -> Result<Bytes, BuildError> {
        let mut zip = zip::Writer::default();
        zip.add(MANIFEST_PATH, manifest.as_bytes())?;
        if let Some(signature) = signature {
            zip.add(SIGNATURE_PATH, signature)?;
        }
        if let Some(lock) = &self.lock {
            zip.add(LOCK_PATH, lock.as_bytes())?;
        }
        zip.add(Self::BINARY_PATH, &self.binary)?;
        for (path, contents) in &self.resources {
            zip.add(checked(path)?.as_str(), contents)?;
        }
        for (name, text) in &self.protos {
            zip.add(&proto_path(name), text.as_bytes())?;
        }
        Ok(zip.finish()?.into())
    }
}

fn checked(path: &str) -> Result<EntryPath, BuildError> {
    EntryPath::parse(path).map_err(|rule| BuildError::Path { path: path.to_owned(), rule })
}

fn proto_path(name: &str) -> String {
    format!("proto/{name}")
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

#[cfg(test)]
mod tests;
