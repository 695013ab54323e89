//! Writes packages that actr 0.3 accepts.

mod text;
mod zip;

use std::collections::HashMap;

use bytes::Bytes;
use playhouse_crypto::{Digest, SigningKey};
use playhouse_types::{ActorType, Code};

use crate::lock::{LockError, LockFile};
use crate::manifest::{BinaryKind, Extension, LOCK_PATH, MANIFEST_PATH, Manifest, ManifestError, SIGNATURE_PATH};
use crate::path::EntryPath;

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
    /// There are no contents for a file that the manifest lists.
    #[error("{path}: no contents")]
    Missing {
        /// The file.
        path: EntryPath,
    },
    /// The package does not fit into an archive without ZIP64.
    #[error("package is larger than 4 GiB or has more than 65534 entries")]
    TooLarge,
}

impl BuildError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Manifest(error) => error.code(),
            Self::Lock(_) => Code::PackageManifest,
            Self::Missing { .. } => Code::PackageMissingFile,
            Self::TooLarge => Code::PackageLimit,
        }
    }
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
        self.pack(Some(key))
    }

    /// The package without a signature. Only a policy for development accepts it.
    ///
    /// # Errors
    /// Names the rule that the parts break.
    pub fn build_unsigned(&self) -> Result<Bytes, BuildError> {
        self.pack(None)
    }

    fn pack(&self, key: Option<&SigningKey>) -> Result<Bytes, BuildError> {
        if let Some(lock) = &self.lock {
            LockFile::parse(lock.as_bytes())?;
        }
        let text = text::manifest(self, key.map(SigningKey::key_id));
        let manifest = Manifest::parse(Bytes::from(text))?;
        let mut contents = HashMap::from([(Self::BINARY_PATH.to_owned(), self.binary.clone())]);
        contents.extend(self.resources.iter().cloned());
        contents.extend(self.protos.iter().map(|(name, text)| (proto_path(name), Bytes::from(text.clone()))));
        contents.extend(self.lock.iter().map(|text| (LOCK_PATH.to_owned(), Bytes::from(text.clone()))));
        pack(&manifest, key, |path| contents.get(path.as_str()).cloned())
    }
}

/// Bytes of a program that is worth deflating. Whoever loads a package inflates it each time, which takes some five times as long
/// as its digest: 3 ms for so many.
const DEFLATED_BYTES_MAX: usize = 1 << 20;

/// Writes the archive of a manifest, with its entries in the order of the tool of actr 0.3. That tool stores all of them; WebAssembly
/// of the usual size is deflated here, to some 40 %, which all readers accept. Libraries are not: nobody sends them far.
pub(crate) fn pack(
    manifest: &Manifest,
    key: Option<&SigningKey>,
    contents: impl Fn(&EntryPath) -> Option<Bytes>,
) -> Result<Bytes, BuildError> {
    let mut zip = zip::Writer::default();
    zip.add(MANIFEST_PATH, &manifest.raw)?;
    if let Some(key) = key {
        zip.add(SIGNATURE_PATH, key.sign(&manifest.raw).as_bytes())?;
    }
    let protos = manifest.protos.iter().map(|proto| &proto.file);
    let first = manifest.lock.iter().chain([&manifest.binary.file]);
    for file in first.chain(&manifest.resources).chain(protos) {
        let bytes = contents(&file.path).ok_or_else(|| BuildError::Missing { path: file.path.clone() })?;
        let wasm = *file == manifest.binary.file && manifest.binary.kind != BinaryKind::NativeCdylib;
        if wasm && bytes.len() <= DEFLATED_BYTES_MAX {
            zip.add_deflated(file.path.as_str(), &bytes)?;
        } else {
            zip.add(file.path.as_str(), &bytes)?;
        }
    }
    Ok(zip.finish()?.into())
}

fn proto_path(name: &str) -> String {
    format!("proto/{name}")
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

#[cfg(test)]
mod tests;
