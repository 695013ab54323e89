use playhouse_types::limits::RANDOM_BYTES_MAX;
use sha2::Digest as _;

use crate::digest::Digest;
use crate::vault::KeyUseError;

/// Bytes that one operation hashes: it runs to its end without a pause, and 16 MiB take some tens of milliseconds.
pub const HASH_INPUT_BYTES_MAX: usize = 16 << 20;

/// The SHA-256 digest of what an actor gives.
///
/// # Errors
/// There is more than [`HASH_INPUT_BYTES_MAX`].
pub fn hash_sha256(bytes: &[u8]) -> Result<Digest, KeyUseError> {
    KeyUseError::check("data", bytes.len(), HASH_INPUT_BYTES_MAX)?;
    Ok(Digest::of(bytes))
}

/// The SHA-512 digest of what an actor gives.
///
/// # Errors
/// There is more than [`HASH_INPUT_BYTES_MAX`].
pub fn hash_sha512(bytes: &[u8]) -> Result<[u8; 64], KeyUseError> {
    KeyUseError::check("data", bytes.len(), HASH_INPUT_BYTES_MAX)?;
    Ok(sha2::Sha512::digest(bytes).into())
}

/// Random bytes for an actor. `random` is a source of secure randomness, which fills the bytes that it is given.
///
/// # Errors
/// More than [`RANDOM_BYTES_MAX`] are asked for, or the source leaves 16 bytes or more zero.
pub fn random_bytes(count: usize, mut random: impl FnMut(&mut [u8])) -> Result<Vec<u8>, KeyUseError> {
    /// Fewer are all zero by chance too often.
    const CHECKED_BYTES_MIN: usize = 16;
    KeyUseError::check("randomness", count, RANDOM_BYTES_MAX as usize)?;
    let mut bytes = vec![0; count];
    random(&mut bytes);
    if count >= CHECKED_BYTES_MIN && bytes.iter().all(|byte| *byte == 0) {
        return Err(KeyUseError::Entropy);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
