use super::{HASH_INPUT_BYTES_MAX, hash_sha256, hash_sha512, random_bytes};
use crate::testing::{counting, hex};

const RANDOM_MAX: usize = 64 << 10;

/// The examples of FIPS 180.
#[test]
fn known_digests() {
    let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    assert_eq!(hash_sha512(b"abc").map(|hash| hex(&hash)).as_deref(), Ok(sha512));
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash_sha256(b"abc").map(|hash| hash.to_string()).as_deref(), Ok(sha256));
}

#[test]
fn input_is_bounded() {
    let large = vec![0; HASH_INPUT_BYTES_MAX + 1];
    let refused = "data has 16777217 bytes, the limit is 16777216";
    assert_eq!(hash_sha256(&large).map_err(|error| error.to_string()), Err(refused.to_owned()));
    assert_eq!(hash_sha512(&large).map_err(|error| error.to_string()), Err(refused.to_owned()));
    assert!(hash_sha256(&large[1..]).is_ok());
}

#[test]
fn randomness_is_the_sources_own() {
    let random = |count| random_bytes(count, counting(5)).map_err(|error| error.to_string());
    assert_eq!(random(0), Ok(vec![]));
    assert_eq!(random(3), Ok(vec![5, 6, 7]));
    assert_eq!(random(RANDOM_MAX).map(|bytes| bytes.len()), Ok(RANDOM_MAX));
    assert_eq!(random(RANDOM_MAX + 1), Err("randomness has 65537 bytes, the limit is 65536".to_owned()));
    assert_eq!(
        random_bytes(16, |_| {}).map_err(|e| e.to_string()),
        Err("the source of randomness does not work".into())
    );
}
