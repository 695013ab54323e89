use bytes::Bytes;
use playhouse_crypto::SigningKey;

use super::Builder;
use crate::{PackageLimits, TrustPolicy, verify};

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
