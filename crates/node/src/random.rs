//! The operating system's source of randomness: the one source of all keys, nonces and random bytes of a node.

use bytes::Bytes;
use playhouse_crypto::{KeyUseError, random_bytes};
use playhouse_types::ActorError;

/// Fills the bytes, or leaves them zero if the source does not work, which the users of keys notice.
pub(crate) fn fill(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        bytes.fill(0);
    }
}

/// Random bytes for an actor.
pub(crate) fn bytes(count: u32) -> Result<Bytes, ActorError> {
    let mut works = true;
    let bytes = random_bytes(count as usize, |bytes| works = getrandom::fill(bytes).is_ok())?;
    // The fewest bytes may well be zero, so that zeroes say nothing.
    if works { Ok(bytes.into()) } else { Err(KeyUseError::Entropy.into()) }
}

#[cfg(test)]
mod tests {
    use playhouse_types::limits::RANDOM_BYTES_MAX;

    #[test]
    fn as_many_as_were_asked_for_and_never_the_same() {
        for count in [0, 1, 15, 16, 32, RANDOM_BYTES_MAX] {
            let bytes = super::bytes(count).unwrap();
            assert_eq!(bytes.len(), count as usize);
            assert!(count < 16 || bytes != super::bytes(count).unwrap());
        }
        let refused = super::bytes(RANDOM_BYTES_MAX + 1).unwrap_err();
        assert_eq!(refused.to_text(), "invalid argument: randomness has 65537 bytes, the limit is 65536 [key-input]");
    }
}
