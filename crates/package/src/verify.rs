//! Bytes, trust policy and time to a [`VerifiedPackage`], or a named refusal.

mod error;
mod signer;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use playhouse_crypto::{Digest, Signature};

pub use error::{FileRole, VerifyError};

use crate::archive::Archive;
use crate::limits::PackageLimits;
use crate::lock::LockFile;
use crate::manifest::{ListedFile, MANIFEST_PATH, Manifest, ManifestError, SIGNATURE_PATH};
use crate::package::{Parts, VerifiedPackage};
use crate::path::EntryPath;
use crate::trust::TrustPolicy;

/// Checks a package: structure, signature, trust, manifest, and the digest of every file that the manifest lists.
///
/// The result holds the very bytes that were hashed; stored files are slices of `bytes` and are not copied. Nothing is read
/// again later. Entries that the manifest does not list are never looked at.
///
/// # Errors
/// Names the first rule that the package breaks, in the order of the specification. There is no use in trying again with the
/// same bytes and policy.
pub fn verify(
    bytes: Bytes,
    policy: &TrustPolicy,
    now_unix_seconds: u64,
    limits: &PackageLimits,
) -> Result<VerifiedPackage, VerifyError> {
    let archive = Archive::open(bytes, limits)?;
    let signature = read_signature(&archive)?;
    if signature.is_none() && !policy.danger_accept_unsigned_for_development {
        return Err(VerifyError::SignatureMissing);
    }
    let raw = read_manifest(&archive, limits)?;
    let verdict = signer::find(&raw, signature.as_ref(), policy)?;
    let digest = Digest::of(&raw);
    let manifest = Manifest::parse(raw)?;
    signer::admit(&verdict, &manifest, digest, policy, now_unix_seconds)?;
    check_limits(&archive, &manifest, limits)?;
    let files = read_files(&archive, &manifest, limits)?;
    let (binary, lock) = check_contents(&manifest, &files)?;
    let signer = verdict.signer();
    Ok(VerifiedPackage::new(Arc::new(Parts { manifest, binary, files, lock, digest, signature, signer })))
}

/// A package whose signature nobody looked at, but whose files are those of its manifest.
pub(crate) struct Unpacked {
    pub(crate) manifest: Manifest,
    pub(crate) files: BTreeMap<EntryPath, Bytes>,
}

/// Checks everything but signature and trust.
pub(crate) fn unpack(bytes: Bytes, limits: &PackageLimits) -> Result<Unpacked, VerifyError> {
    let archive = Archive::open(bytes, limits)?;
    let manifest = Manifest::parse(read_manifest(&archive, limits)?)?;
    check_limits(&archive, &manifest, limits)?;
    let files = read_files(&archive, &manifest, limits)?;
    check_contents(&manifest, &files)?;
    Ok(Unpacked { manifest, files })
}

fn read_signature(archive: &Archive) -> Result<Option<Signature>, VerifyError> {
    let wrong = |found| VerifyError::SignatureLength { found };
    let Some(size) = archive.size(SIGNATURE_PATH) else { return Ok(None) };
    if size != Signature::LENGTH as u64 {
        return Err(wrong(size));
    }
    let Some(bytes) = archive.read(SIGNATURE_PATH).transpose()? else { return Ok(None) };
    let bytes = bytes.as_ref().try_into().map_err(|_| wrong(bytes.len() as u64))?;
    Ok(Some(Signature::from_bytes(bytes)))
}

pub(crate) fn read_manifest(archive: &Archive, limits: &PackageLimits) -> Result<Bytes, VerifyError> {
    let size = archive.size(MANIFEST_PATH).ok_or(VerifyError::ManifestMissing)?;
    if size > limits.manifest_bytes {
        return Err(ManifestError::TooLarge { limit: limits.manifest_bytes }.into());
    }
    Ok(archive.read(MANIFEST_PATH).ok_or(VerifyError::ManifestMissing)??)
}

/// Checks everything that can be said before the first file is unpacked.
fn check_limits(archive: &Archive, manifest: &Manifest, limits: &PackageLimits) -> Result<(), VerifyError> {
    let files = manifest.listed().count();
    if files > limits.listed_files {
        return Err(ManifestError::TooManyFiles { files, limit: limits.listed_files }.into());
    }
    let present = manifest.listed().filter(|file| archive.contains(file.path.as_str())).count();
    let own = [MANIFEST_PATH, SIGNATURE_PATH].iter().filter(|path| archive.contains(path)).count();
    let entries = archive.len() - present - own;
    if entries > limits.unlisted_entries {
        return Err(VerifyError::TooManyUnlisted { entries, limit: limits.unlisted_entries });
    }
    let mut total = 0_u64;
    for file in manifest.listed() {
        total = total.saturating_add(archive.size(file.path.as_str()).unwrap_or(0));
        if total > limits.content_bytes {
            return Err(VerifyError::ContentTooLarge { path: file.path.clone(), limit: limits.content_bytes });
        }
    }
    Ok(())
}

fn read_files(
    archive: &Archive,
    manifest: &Manifest,
    limits: &PackageLimits,
) -> Result<BTreeMap<EntryPath, Bytes>, VerifyError> {
    let mut files = Files { archive, found: BTreeMap::new(), room: limits.content_bytes, limit: limits.content_bytes };
    let binary = files.take(&manifest.binary.file, FileRole::Binary)?;
    if let Some(expected) = manifest.binary.size.filter(|size| *size != binary) {
        return Err(VerifyError::BinarySize { found: binary, expected });
    }
    manifest.resources.iter().try_for_each(|file| files.take(file, FileRole::Resource).map(drop))?;
    manifest.protos.iter().try_for_each(|proto| files.take(&proto.file, FileRole::Proto).map(drop))?;
    manifest.lock.iter().try_for_each(|file| files.take(file, FileRole::Lock).map(drop))?;
    Ok(files.found)
}

struct Files<'a> {
    archive: &'a Archive,
    found: BTreeMap<EntryPath, Bytes>,
    /// Bytes that may still come out.
    room: u64,
    limit: u64,
}

impl Files<'_> {
    /// Unpacks a file and compares its digest; gives its size.
    fn take(&mut self, file: &ListedFile, role: FileRole) -> Result<u64, VerifyError> {
        let path = &file.path;
        let missing = || VerifyError::FileMissing { path: path.clone(), role };
        let bytes = self.archive.read(path.as_str()).ok_or_else(missing)??;
        let size = bytes.len() as u64;
        let too_large = || VerifyError::ContentTooLarge { path: path.clone(), limit: self.limit };
        self.room = self.room.checked_sub(size).ok_or_else(too_large)?;
        let found = Digest::of(&bytes);
        if found != file.digest {
            return Err(VerifyError::DigestMismatch { path: path.clone(), role, expected: file.digest, found });
        }
        self.found.insert(path.clone(), bytes);
        Ok(size)
    }
}

/// Checks what digests cannot say: that texts are texts. Gives the program and the parsed lock file.
fn check_contents(
    manifest: &Manifest,
    files: &BTreeMap<EntryPath, Bytes>,
) -> Result<(Bytes, Option<LockFile>), VerifyError> {
    for proto in &manifest.protos {
        let path = &proto.file.path;
        if files.get(path).is_none_or(|bytes| str::from_utf8(bytes).is_err()) {
            return Err(VerifyError::ProtoNotUtf8 { path: path.clone() });
        }
    }
    let lock_bytes = manifest.lock.as_ref().and_then(|file| files.get(&file.path));
    let lock = lock_bytes.map(|bytes| LockFile::parse(bytes)).transpose()?;
    let binary = files.get(&manifest.binary.file.path).cloned().unwrap_or_default();
    Ok((binary, lock))
}
