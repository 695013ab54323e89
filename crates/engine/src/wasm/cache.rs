//! Compiled code, and where it is kept between runs. The only unsafe code of the wasm engine is here.
//!
//! Compiled code runs as it is, so bytes that somebody else wrote would be somebody else's code in our process. A file is
//! therefore authenticated with a key that only the node can read. It is read whole, checked, and loaded from the very
//! bytes that were checked: a file that is mapped could be changed after the check.

use std::hash::Hash;

use playhouse_crypto::{Digest, Hasher};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::config::WasmConfig;
use directory::Directory;

mod directory;

/// The version of what this crate adds to compiled code: how components are rewritten before they are compiled. Raise it
/// when that changes.
const VERSION: &[u8] = b"playhouse wasm 1";

/// Compiled code that this process made itself, or that it has authenticated.
pub(super) struct Artefact(Vec<u8>);

impl Artefact {
    /// Compiles a component.
    pub(super) fn compile(engine: &Engine, binary: &[u8]) -> wasmtime::Result<Self> {
        engine.precompile_component(binary).map(Self)
    }

    /// The compiled code of a component that runs.
    pub(super) fn of(component: &Component) -> wasmtime::Result<Self> {
        component.serialize().map(Self)
    }

    /// Loads the code into an engine. Fails if the engine was configured otherwise, or cannot hold the component.
    #[expect(unsafe_code, reason = "wasmtime trusts compiled code")]
    pub(super) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes are what wasmtime made: every constructor takes them from wasmtime itself or, in `Cache`, from a
        // file whose authenticity was checked over these bytes. wasmtime checks version and configuration.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// The cache of compiled code. Without a directory it keeps nothing.
pub(super) struct Cache {
    directory: Option<Directory>,
}

impl Cache {
    /// A directory that cannot be used is reported, and the engine works without it.
    pub(super) fn open(config: &WasmConfig) -> Self {
        let directory = config.cache_dir.as_ref().and_then(|path| {
            Directory::open(path, config.cache_bytes_max)
                .inspect_err(|error| {
                    tracing::warn!(path = %path.display(), %error, "no cache of compiled wasm: every start compiles anew");
                })
                .ok()
        });
        Self { directory }
    }

    /// The code of `binary`, whose digest is `digest`, for engines that are configured as `engine` is.
    pub(super) fn artefact(&self, engine: &Engine, binary: &[u8], digest: Digest) -> wasmtime::Result<Artefact> {
        let Some(directory) = &self.directory else { return Artefact::compile(engine, binary) };
        let name = name(engine, digest);
        if let Some(bytes) = directory.read(&name) {
            return Ok(Artefact(bytes));
        }
        let artefact = Artefact::compile(engine, binary)?;
        directory.write(&name, &artefact.0);
        Ok(artefact)
    }
}

/// The name under which code is kept: it differs whenever the code could.
fn name(engine: &Engine, digest: Digest) -> Digest {
    let mut hasher = Feed(Hasher::new());
    hasher.0.update(VERSION);
    hasher.0.update(digest.as_bytes());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finish()
}

/// Lets a value that can be hashed for a table be hashed for good.
struct Feed(Hasher);

impl std::hash::Hasher for Feed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
