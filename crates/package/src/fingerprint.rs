//! Fingerprints of proto files and of services: short names for their meaning, whatever their layout and comments.
//!
//! They are advice for discovery. Nothing here decides about trust, and a file that cannot be fingerprinted is no reason to
//! refuse a package.

mod json;
mod model;

use playhouse_crypto::Digest;
use playhouse_types::Code;
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

/// Why a proto file has no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// The text is larger than [`PROTO_BYTES_MAX`].
    #[error("{name}: proto file has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// The file.
        name: String,
        /// Bytes that it has.
        bytes: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// The text is not a proto file that stands by itself. Types from imports other than `google/protobuf/` are unknown.
    #[error("{name}: {message}")]
    Proto {
        /// The file.
        name: String,
        /// What the compiler says.
        message: String,
    },
}

impl FingerprintError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::PackageManifest
    }
}

/// Bytes of one proto file: the limit for all proto texts of a service description.
pub const PROTO_BYTES_MAX: usize = 4 << 20;

/// The fingerprint of one proto file: `semantic:` and 64 hexadecimal digits.
///
/// # Errors
/// The text does not compile by itself.
pub fn file_fingerprint(name: &str, text: &str) -> Result<String, FingerprintError> {
    Ok(format!("semantic:{}", file_digest(name, text)?))
}

/// The fingerprint of a set of proto files by their names: `service_semantic:` and 64 hexadecimal digits.
///
/// # Errors
/// One of the texts does not compile by itself.
pub fn service_fingerprint<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, FingerprintError> {
    let line = |(name, text)| Ok((name, file_digest(name, text)?));
    let mut lines = files.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
    lines.sort();
    let lines: Vec<_> = lines.into_iter().map(|(name, digest)| format!("{name}:{digest}")).collect();
    Ok(format!("service_semantic:{}", Digest::of(lines.join("\n").as_bytes())))
}

fn file_digest(name: &str, text: &str) -> Result<Digest, FingerprintError> {
    Ok(Digest::of(canonical(name, text)?.as_bytes()))
}

/// The text that is hashed: the meaning of a proto file in a fixed order.
pub(crate) fn canonical(name: &str, text: &str) -> Result<String, FingerprintError> {
    if text.len() > PROTO_BYTES_MAX {
        return Err(FingerprintError::TooLarge { name: name.to_owned(), bytes: text.len(), limit: PROTO_BYTES_MAX });
    }
    let failed = |error: protox::Error| FingerprintError::Proto { name: name.to_owned(), message: error.to_string() };
    let mut compiler = Compiler::with_file_resolver(Alone { name: name.to_owned(), text: text.to_owned() });
    compiler.include_imports(false).open_file(name).map_err(failed)?;
    let files = compiler.file_descriptor_set().file;
    Ok(files.iter().find(|file| file.name() == name).map(model::file).unwrap_or_default().to_string())
}

/// Finds the one file and the well-known ones; any other import is an empty file.
struct Alone {
    name: String,
    text: String,
}

impl FileResolver for Alone {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            name if name == self.name => File::from_source(name, &self.text),
            name if name.starts_with("google/protobuf/") => GoogleFileResolver::new().open_file(name),
            name => File::from_source(name, "syntax = \"proto3\";"),
        }
    }
}

#[cfg(test)]
mod tests;
