//! What tests and fuzz targets need from inside. Not for others: it changes without notice.
//!
//! Each oracle takes bytes as a stranger could send them and panics when something that must hold does not.

use bytes::Bytes;
use playhouse_crypto::{Digest, SigningKey};

use crate::archive::Archive;
use crate::limits::PackageLimits;
use crate::lock::LockFile;
use crate::manifest::Manifest;
use crate::package::{Signer, VerifiedPackage};
use crate::path::EntryPath;
use crate::trust::TrustPolicy;
use crate::verify::verify;

/// Limits low enough for a fuzzer to reach them.
fn limits() -> PackageLimits {
    PackageLimits { content_bytes: 1 << 20, listed_files: 16, unlisted_entries: 16, manifest_bytes: 64 << 10 }
}

/// The key of packages that fuzz targets make. Everybody knows it.
#[must_use]
pub fn key() -> SigningKey {
    SigningKey::from_seed(&[0x46; 32])
}

/// Verifies whole packages, as signed ones and as unsigned ones.
///
/// # Panics
/// A package was accepted that breaks a rule.
pub fn check_package(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut policy = TrustPolicy::default();
    policy.any_manufacturer.push(crate::trust::TrustedKey::always(key().verifying_key()));
    let signed = verify(bytes.clone(), &policy, 0, &limits());
    if let Ok(package) = &signed {
        assert_eq!(package.signed_by(), Signer::Key(key().key_id()));
        check_verified(package);
    }
    policy.danger_accept_unsigned_for_development = true;
    match verify(bytes, &policy, 0, &limits()) {
        Ok(package) => check_verified(&package),
        Err(error) => assert!(signed.is_err() && !error.to_string().is_empty()),
    }
}

fn check_verified(package: &VerifiedPackage) {
    let listed: Vec<_> = package.manifest().listed().collect();
    assert_eq!(package.files().count(), listed.len());
    let mut total = 0;
    for (path, bytes) in package.files() {
        assert_eq!(EntryPath::parse(path.as_str()).as_ref(), Ok(&path));
        assert!(listed.iter().any(|file| file.path == path && file.digest == Digest::of(bytes)));
        total += bytes.len() as u64;
    }
    assert!(total <= limits().content_bytes);
    assert_eq!(package.binary_digest(), Digest::of(package.binary()));
    assert_eq!(package.package_digest(), Digest::of(&package.manifest().raw));
    assert_eq!(package.protos().count(), package.manifest().protos.len());
    assert_eq!(package.resources().count(), package.manifest().resources.len());
    assert_eq!(package.lock().is_some(), package.manifest().lock.is_some());
    assert!(package.kind().fits(package.target()));
}

/// Walks an archive and unpacks every entry.
///
/// # Panics
/// An entry came out larger than its header says.
pub fn check_archive(bytes: &[u8]) {
    let Ok(archive) = Archive::open(Bytes::copy_from_slice(bytes), &limits()) else { return };
    for path in archive.paths() {
        let size = archive.size(path.as_str());
        if size.is_some_and(|size| size <= limits().content_bytes)
            && let Some(Ok(contents)) = archive.read(path.as_str())
        {
            assert_eq!(Some(contents.len() as u64), size);
        }
    }
}

/// Parses a manifest.
///
/// # Panics
/// A manifest was accepted that breaks a rule.
pub fn check_manifest(bytes: &[u8]) {
    let claim = crate::manifest::claim(bytes);
    let Ok(manifest) = Manifest::parse(Bytes::copy_from_slice(bytes)) else { return };
    let actor_type = &manifest.actor_type;
    assert_eq!(actor_type.to_string().parse().as_ref(), Ok(actor_type));
    assert!(manifest.binary.kind.fits(&manifest.binary.target));
    let paths: std::collections::HashSet<_> = manifest.listed().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.len(), manifest.listed().count());
    assert_eq!(manifest.raw, bytes);
    assert!(claim.is_some_and(|claim| {
        claim.manufacturer == *actor_type.manufacturer() && claim.key_id == manifest.signing_key_id
    }));
}

/// Parses a trust file, writes it and parses it again.
///
/// # Panics
/// The second policy is not the first.
pub fn check_trust(text: &str) {
    let Ok(policy) = TrustPolicy::parse(text, |_| Err("no files here".to_owned())) else { return };
    let again = TrustPolicy::parse(&policy.to_toml(), |_| Err("no files here".to_owned()));
    assert_eq!(again.as_ref(), Ok(&policy));
}

/// Parses a lock file.
pub fn check_lock(bytes: &[u8]) {
    let lock = LockFile::parse(bytes);
    assert!(lock.map_or(true, |lock| lock.dependencies.iter().all(|found| lock.find(&found.actor_type).is_some())));
}

/// Fingerprints a proto file, twice.
///
/// # Panics
/// The two differ.
pub fn check_proto(text: &str) {
    assert_eq!(crate::file_fingerprint("x.proto", text), crate::file_fingerprint("x.proto", text));
}
