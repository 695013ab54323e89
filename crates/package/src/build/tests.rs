use bytes::Bytes;
use playhouse_crypto::SigningKey;

use super::{Builder, DEFLATED_BYTES_MAX};
use crate::{BinaryKind, PackageLimits, TrustPolicy, verify};

/// The example of the specification, byte for byte.
#[test]
fn builds_what_verifies() {
    let key = SigningKey::from_seed(&std::array::from_fn(|n| u8::try_from(n).expect("below 32")));
    let actor_type: playhouse_types::ActorType = "acme:EchoService:1.0.0".parse().expect("type");
    let policy = TrustPolicy::for_key(actor_type.manufacturer().clone(), key.verifying_key());
    let binary = Bytes::from_static(b"\x7fELF-example");
    let package = Builder::new(actor_type, "x86_64-unknown-linux-gnu", binary.clone()).build(&key).expect("builds");
    let verified = verify(package.clone(), &policy, 0, &PackageLimits::default()).expect("verifies");
    assert_eq!(verified.binary(), &binary);
    assert_eq!(
        verified.package_digest().to_string(),
        "0d4fa0a6d866506a1bf0f3ac0e1fb45d66d834a367c8210a7213472de75083ed"
    );
    let signature = verified.signature().map(|signature| format!("{signature:?}")).expect("signed");
    assert_eq!(
        signature,
        "71e9bfc5607d0ab440346f1bbce7140829dd1a1b92b43a82570651829433279d\
         2e61771aa3080f17995728aceece5674893e7d4fd8449d87dd133b32e386270c"
    );
    assert!(package.as_ptr_range().contains(&verified.binary().as_ptr()), "the binary is not copied");
}

/// WebAssembly is deflated where that is worth it, the same each time, and verifies as what it was.
#[test]
fn deflates_programs_for_wasm() {
    let key = SigningKey::from_seed(&[7; 32]);
    let noise: Vec<u8> =
        (0..100_u32).flat_map(|n| *playhouse_crypto::Digest::of(&n.to_le_bytes()).as_bytes()).collect();
    let large = vec![7; DEFLATED_BYTES_MAX + 1];
    for (target, kind, program, deflated) in [
        ("wasm32-unknown-unknown", BinaryKind::Component, vec![7; DEFLATED_BYTES_MAX], true),
        ("wasm32-unknown-unknown", BinaryKind::CoreModule, vec![7; 1000], true),
        ("wasm32-unknown-unknown", BinaryKind::Component, noise, false),
        ("wasm32-unknown-unknown", BinaryKind::Component, Vec::new(), false),
        ("wasm32-unknown-unknown", BinaryKind::Component, large, false),
        ("x86_64-unknown-linux-gnu", BinaryKind::NativeCdylib, vec![7; 1000], false),
    ] {
        let actor_type: playhouse_types::ActorType = "acme:EchoService:1.0.0".parse().expect("type");
        let policy = TrustPolicy::for_key(actor_type.manufacturer().clone(), key.verifying_key());
        let builder = Builder::new(actor_type, target, program.clone().into()).kind(kind);
        let package = builder.build(&key).expect("builds");
        assert_eq!(package, builder.build(&key).expect("builds"));
        let signed = crate::sign(package.clone(), &key, &PackageLimits::default()).expect("signs");
        for package in [package, signed] {
            assert_eq!(package.len() < program.len(), deflated, "{} bytes for {target}", program.len());
            let verified = verify(package, &policy, 0, &PackageLimits::default()).expect("verifies");
            assert_eq!(verified.binary()[..], program);
        }
    }
}
