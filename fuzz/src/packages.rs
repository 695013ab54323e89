use std::sync::LazyLock;

use bytes::Bytes;
use playhouse_crypto::SigningKey;
use playhouse_package::{
    Builder, LockFile, Manifest, PackageLimits, TrustPolicy, VerifiedPackage, VerifyError, verify,
};

/// Little, so that a bomb shows.
const LIMITS: PackageLimits =
    PackageLimits { content_bytes: 1 << 20, listed_files: 16, unlisted_entries: 4, manifest_bytes: 64 << 10 };
const NOW: u64 = 1_800_000_000;

/// An archive that nobody signed, under a policy that accepts it: structure and digests are all that stands in the way.
pub fn archive(bytes: &[u8]) {
    let mut policy = TrustPolicy::default();
    policy.danger_accept_unsigned_for_development = true;
    let verified = verify(Bytes::copy_from_slice(bytes), &policy, NOW, &LIMITS);
    if let Ok(package) = settle(verified) {
        let total: usize = package.files().map(|(_, contents)| contents.len()).sum();
        assert!(total as u64 <= LIMITS.content_bytes + LIMITS.manifest_bytes + 64, "{total} bytes came out");
        for (path, _) in package.files() {
            let path = path.as_str();
            assert!(!path.starts_with('/') && !path.contains('\\'), "{path:?}");
            assert!(path.split('/').all(|segment| !segment.is_empty() && segment != ".."), "{path:?}");
        }
    }
}

/// The package that [`package_altered`] alters.
pub fn altered_original() -> &'static Bytes {
    static ORIGINAL: LazyLock<Bytes> = LazyLock::new(|| {
        let actor_type = "acme:Echo:1.0.0".parse().expect("a type");
        let binary = Bytes::from_static(b"\0asm\x01\0\0\0 not much of a program");
        let builder = Builder::new(actor_type, "wasm32-unknown-unknown", binary)
            .resource("resources/greeting.txt", Bytes::from_static(b"hello"))
            .proto("echo.proto", "syntax = \"proto3\"; package echo; message Ping {}");
        builder.build(&key()).expect("a package")
    });
    &ORIGINAL
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
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
    let policy = TrustPolicy::for_key("acme".parse().expect("a name"), key().verifying_key());
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
    match Manifest::parse(Bytes::copy_from_slice(bytes)) {
        Ok(manifest) => {
            for file in manifest.listed() {
                let path = file.path.as_str();
                assert!(path.split('/').all(|segment| !segment.is_empty() && segment != ".."), "{path:?}");
            }
        }
        Err(error) => assert!(error.to_string().len() < 10_000, "{error}"),
    }
}

/// Lock files.
pub fn lock(bytes: &[u8]) {
    if let Err(error) = LockFile::parse(bytes) {
        assert!(error.to_string().len() < 10_000, "{error}");
    }
}

/// Trust files: what is accepted is written to a file that means the same. No key file is ever read.
pub fn trust_policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let refuse = |_: &str| Err("no files here".to_owned());
    match TrustPolicy::parse(text, refuse) {
        Ok(policy) => {
            let written = policy.to_toml();
            let again = TrustPolicy::parse(&written, refuse).unwrap_or_else(|e| panic!("{e} in our own\n{written}"));
            assert_eq!(again.to_toml(), written);
        }
        Err(error) => assert!(error.to_string().len() < 10_000, "{error}"),
    }
}
