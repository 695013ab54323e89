use bytes::Bytes;
use playhouse_crypto::SigningKey;

use super::sign;
use crate::{Builder, PackageLimits, TrustPolicy, verify};

fn unsigned() -> Bytes {
    let actor_type = "acme:Echo:1.0.0".parse().expect("type");
    let binary = Bytes::from_static(b"\x7fELF");
    let builder =
        Builder::new(actor_type, "x86_64-unknown-linux-gnu", binary).resource("a/b", Bytes::from_static(b"c"));
    builder.description("tells \"why\"\n").build_unsigned().expect("builds")
}

#[test]
fn what_is_signed_verifies_under_that_key_alone() {
    let limits = PackageLimits::default();
    let (first, second) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    let once = sign(unsigned(), &first, &limits).expect("signs");
    let twice = sign(once.clone(), &second, &limits).expect("signs");
    for (package, key, other) in [(once, &first, &second), (twice, &second, &first)] {
        let policy = |key: &SigningKey| TrustPolicy::for_key("acme".parse().expect("name"), key.verifying_key());
        let verified = verify(package.clone(), &policy(key), 0, &limits).expect("verifies");
        assert_eq!(verified.manifest().description.as_deref(), Some("tells \"why\"\n"));
        assert_eq!(verified.manifest().signing_key_id, Some(key.key_id()));
        assert!(verify(package, &policy(other), 0, &limits).is_err());
    }
}

#[test]
fn damaged_packages_are_not_signed() {
    let mut bytes = unsigned().to_vec();
    let at = bytes.windows(4).position(|window| window == b"\x7fELF").expect("binary");
    bytes[at] ^= 1;
    let refused = sign(bytes.into(), &SigningKey::from_seed(&[1; 32]), &PackageLimits::default());
    assert_eq!(refused.expect_err("damaged").to_string(), "entry \"bin/actor.wasm\" does not match its checksum");
}
