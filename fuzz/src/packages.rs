use std::sync::LazyLock;

use bytes::Bytes;
use playhouse_package::{Builder, PackageLimits, TrustPolicy, VerifiedPackage, VerifyError, internal, verify};

/// Little, so that a bomb shows.
const LIMITS: PackageLimits =
    PackageLimits { content_bytes: 1 << 20, listed_files: 16, unlisted_entries: 4, manifest_bytes: 64 << 10 };
const NOW: u64 = 1_800_000_000;

/// An archive, and whatever package it may be: signed by a key that everybody knows, or not at all.
pub fn archive(bytes: &[u8]) {
    internal::check_archive(bytes);
    internal::check_package(bytes);
}

/// The package that [`package_altered`] alters.
pub fn altered_original() -> &'static Bytes {
    static ORIGINAL: LazyLock<Bytes> = LazyLock::new(|| {
        let actor_type = "acme:Echo:1.0.0".parse().expect("a type");
        let binary = Bytes::from_static(b"\0asm\x01\0\0\0 not much of a program");
        let builder = Builder::new(actor_type, "wasm32-unknown-unknown", binary)
            .resource("resources/greeting.txt", Bytes::from_static(b"hello"))
            .proto("echo.proto", "syntax = \"proto3\"; package echo; message Ping {}");
        builder.build(&internal::key()).expect("a package")
    });
    &ORIGINAL
}

/// A signed package, altered as `bytes` say: three at a time, a position and what to do there. Either it is refused, or what
/// comes out is exactly what was signed.
pub fn package_altered(bytes: &[u8]) {
    let original = altered_original();
    let mut altered = original.to_vec();
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        match (change[2], altered.len()) {
            (_, 0) => break,
            (0, length) => altered.truncate(at % length),
            (1, length) => {
                altered.remove(at % length);
            }
            (2, length) => altered.insert(at % length, change[0]),
            (flip, length) => altered[at % length] ^= flip,
        }
    }
    let policy = TrustPolicy::for_key("acme".parse().expect("a name"), internal::key().verifying_key());
    let verified = verify(Bytes::from(altered), &policy, NOW, &LIMITS);
    if let Ok(package) = settle(verified) {
        let genuine = verify(original.clone(), &policy, NOW, &LIMITS).expect("the original is genuine");
        assert_eq!(package.package_digest(), genuine.package_digest());
        assert!(package.files().eq(genuine.files()), "altered files came out");
    }
}

/// Refusals are short texts.
fn settle(verified: Result<VerifiedPackage, VerifyError>) -> Result<VerifiedPackage, ()> {
    verified.map_err(|error| assert!(error.to_string().len() < 10_000, "{error}"))
}

/// Manifests.
pub fn manifest(bytes: &[u8]) {
    internal::check_manifest(bytes);
}

/// Lock files.
pub fn lock(bytes: &[u8]) {
    internal::check_lock(bytes);
}

/// Trust files.
pub fn trust_policy(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        internal::check_trust(text);
    }
}

/// Proto files, which a package brings along and a fingerprint reads.
pub fn proto(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        internal::check_proto(text);
    }
}
