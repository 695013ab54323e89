use bytes::Bytes;

use crate::archive::Archive;
use crate::limits::PackageLimits;
use crate::manifest::{Manifest, SIGNATURE_PATH};
use crate::path::EntryPath;
use crate::verify::{VerifyError, read_manifest};

/// What a package claims, for people to look at. Nothing of it has been verified: neither signature nor trust nor any digest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The claims.
    pub manifest: Manifest,
    /// Whether there is something in the place of a signature.
    pub has_signature: bool,
    /// All files in the archive by path.
    pub files: Vec<InspectedFile>,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedFile {
    /// Where it is.
    pub path: EntryPath,
    /// How large its header says that it is.
    pub size: u64,
    /// Whether the manifest speaks of it. Files that it does not are never used.
    pub is_listed: bool,
}

/// Looks into a package without verifying it.
///
/// # Errors
/// The archive or the manifest cannot be read.
pub fn inspect(bytes: Bytes, limits: &PackageLimits) -> Result<Inspection, VerifyError> {
    let archive = Archive::open(bytes, limits)?;
    let manifest = Manifest::parse(read_manifest(&archive, limits)?)?;
    let listed: std::collections::HashSet<_> = manifest.listed().map(|file| &file.path).collect();
    let file = |path: &EntryPath| InspectedFile {
        path: path.clone(),
        size: archive.size(path.as_str()).unwrap_or(0),
        is_listed: listed.contains(path),
    };
    let mut files: Vec<_> = archive.paths().map(file).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Inspection { has_signature: archive.contains(SIGNATURE_PATH), files, manifest })
}
