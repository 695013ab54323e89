//! The manifest: what the signature covers.

mod asked;
mod error;
mod extension;
mod raw;

use std::fmt;

use bytes::Bytes;
use playhouse_crypto::{Digest, KeyId};
use playhouse_types::ActorType;

pub use asked::AskedLimit;
pub use error::{ListedKey, ManifestError};
pub use extension::{Extension, PackageConcurrency};
pub(crate) use raw::claim;

use crate::path::EntryPath;

/// Where the manifest is in a package.
pub(crate) const MANIFEST_PATH: &str = "manifest.toml";
/// Where its signature is.
pub(crate) const SIGNATURE_PATH: &str = "manifest.sig";
/// Where a lock file is, if there is one.
pub(crate) const LOCK_PATH: &str = "manifest.lock.toml";

/// What form the program in a package has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryKind {
    /// A WebAssembly component.
    Component,
    /// A WebAssembly core module. Packages may say so; no engine runs it.
    CoreModule,
    /// A shared library.
    NativeCdylib,
}

impl BinaryKind {
    /// The word in manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::CoreModule => "core-module",
            Self::NativeCdylib => "native-cdylib",
        }
    }

    /// The kind that a word in a manifest stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Component, Self::CoreModule, Self::NativeCdylib].into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a manifest that does not say: a core module for wasm targets, else a shared library.
    #[must_use]
    pub fn default_for(target: &str) -> Self {
        if is_wasm(target) { Self::CoreModule } else { Self::NativeCdylib }
    }

    /// Whether a binary of this kind can be for `target`.
    #[must_use]
    pub fn fits(self, target: &str) -> bool {
        is_wasm(target) == !matches!(self, Self::NativeCdylib)
    }
}

fn is_wasm(target: &str) -> bool {
    target.starts_with("wasm32-")
}

impl fmt::Display for BinaryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file in the package and the digest that its contents must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Where it is in the archive.
    pub path: EntryPath,
    /// The SHA-256 of its contents.
    pub digest: Digest,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBinary {
    /// Where it is and what it must be.
    pub file: ListedFile,
    /// The target triple that it was built for.
    pub target: String,
    /// Its form, as the manifest says or by default for the target.
    pub kind: BinaryKind,
    /// Its size, if the manifest says.
    pub size: Option<u64>,
}

/// A proto source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProto {
    /// The name by which fingerprints know it, such as `echo.proto`.
    pub name: EntryPath,
    /// Where it is and what it must be.
    pub file: ListedFile,
}

/// A manifest that keeps every rule. It says nothing about whether anybody signed it; a
/// [`VerifiedPackage`](crate::VerifiedPackage) does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// What the package is.
    pub actor_type: ActorType,
    /// The program.
    pub binary: ListedBinary,
    /// Other files.
    pub resources: Vec<ListedFile>,
    /// Proto sources.
    pub protos: Vec<ListedProto>,
    /// The dependencies.
    pub lock: Option<ListedFile>,
    /// The key that the package says to be signed with.
    pub signing_key_id: Option<KeyId>,
    /// What it does, for people.
    pub description: Option<String>,
    /// Its license, for people.
    pub license: Option<String>,
    /// What only Playhouse reads.
    pub extension: Extension,
    /// The bytes as they stand in the package: what was signed, and what an identity service wants to see.
    pub raw: Bytes,
}

impl Manifest {
    /// Parses the bytes of a `manifest.toml`.
    ///
    /// # Errors
    /// Names the rule that the manifest breaks.
    pub fn parse(raw: Bytes) -> Result<Self, ManifestError> {
        raw::parse(raw)
    }

    /// All listed files in the order in which they are checked.
    pub fn listed(&self) -> impl Iterator<Item = &ListedFile> {
        let protos = self.protos.iter().map(|proto| &proto.file);
        std::iter::once(&self.binary.file).chain(&self.resources).chain(protos).chain(&self.lock)
    }
}

#[cfg(test)]
mod tests;
