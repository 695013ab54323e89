use bytes::Bytes;
use playhouse_crypto::SigningKey;

use crate::build::{BuildError, pack};
use crate::limits::PackageLimits;
use crate::manifest::{Manifest, ManifestError};
use crate::verify::{Unpacked, VerifyError, unpack};

/// Why a package cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Nobody could verify the package, whoever signed it: its structure, manifest or a digest is wrong.
    #[error(transparent)]
    Package(#[from] VerifyError),
    /// The signed package cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl SignError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> playhouse_types::Code {
        match self {
            Self::Package(error) => error.code(),
            Self::Build(error) => error.code(),
        }
    }
}

/// Signs a package that is unsigned, or signed by somebody else, with `key`.
///
/// Everything is checked but signature and trust. The manifest keeps all its keys, also unknown ones, but not its layout; it
/// names `key` then. Entries that the manifest does not list are left out.
///
/// # Errors
/// Names the rule that the package breaks.
pub fn sign(bytes: Bytes, key: &SigningKey, limits: &PackageLimits) -> Result<Bytes, SignError> {
    let Unpacked { manifest, files } = unpack(bytes, limits)?;
    let text = rename_key(&manifest, key)?;
    let signed = Manifest::parse(Bytes::from(text)).map_err(VerifyError::from)?;
    Ok(pack(&signed, Some(key), |path| files.get(path).cloned())?)
}

/// The manifest as text, naming another key.
fn rename_key(manifest: &Manifest, key: &SigningKey) -> Result<String, VerifyError> {
    let text = str::from_utf8(&manifest.raw).unwrap_or_default();
    let syntax = |message: String| ManifestError::Syntax { line: 1, message };
    let mut table: toml::Table = toml::from_str(text).map_err(|error| syntax(error.message().to_owned()))?;
    table.insert("signature_algorithm".to_owned(), "ed25519".into());
    table.insert("signing_key_id".to_owned(), key.key_id().to_string().into());
    Ok(toml::to_string(&table).map_err(|error| syntax(error.to_string()))?)
}

#[cfg(test)]
mod tests;
