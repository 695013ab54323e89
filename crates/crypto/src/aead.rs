//! Authenticated encryption: XChaCha20-Poly1305 with nonces that do not depend on good randomness alone.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hmac::Mac as _;

use crate::kdf::{Random, SecretBytes, hmac};

pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;

/// What seals data of one use.
///
/// The nonce is an HMAC, under a key of its own, of fresh randomness, the associated data and the plaintext. With good randomness it
/// is random. If a virtual machine was copied or a source repeats itself, equal messages show that they are equal and nothing else:
/// a nonce never serves two plaintexts.
#[derive(Debug)]
pub(crate) struct DataKey {
    cipher: SecretBytes,
    nonces: SecretBytes,
}

impl DataKey {
    /// The key for one use of `secret`; see [`SecretBytes::derive`].
    pub(crate) fn derive(secret: &SecretBytes, label: &str, parts: &[&[u8]]) -> Self {
        let secret = secret.derive(label, parts);
        Self { cipher: secret.derive("cipher", &[]), nonces: secret.derive("nonces", &[]) }
    }

    /// Appends nonce, ciphertext and tag to `out`, bound to `associated`. None if the source of randomness does not work.
    pub(crate) fn seal(
        &self,
        plaintext: &[u8],
        associated: &[u8],
        random: Random<'_>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let nonce = self.nonce(plaintext, associated, &SecretBytes::random(random)?);
        self.seal_with(nonce, plaintext, associated, out)
    }

    fn seal_with(
        &self,
        nonce: [u8; NONCE_BYTES],
        plaintext: &[u8],
        associated: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        out.reserve(NONCE_BYTES + plaintext.len() + TAG_BYTES);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let buffer = out.get_mut(start..)?;
        // The cipher refuses no more than 256 GiB, which no plaintext here comes near.
        let tag = self.cipher().encrypt_inout_detached(&XNonce::from(nonce), associated, buffer.into()).ok()?;
        out.extend_from_slice(&tag);
        Some(())
    }

    /// Opens what [`Self::seal`] appended; none if a byte of it or of `associated` differs.
    pub(crate) fn open(&self, sealed: &[u8], associated: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plaintext = ciphertext.to_vec();
        let buffer = plaintext.as_mut_slice().into();
        let nonce = XNonce::from(*nonce);
        self.cipher().decrypt_inout_detached(&nonce, associated, buffer, &Tag::from(*tag)).ok()?;
        Some(plaintext)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.cipher.as_bytes().into())
    }

    fn nonce(&self, plaintext: &[u8], associated: &[u8], fresh: &SecretBytes) -> [u8; NONCE_BYTES] {
        let mut mac = hmac(self.nonces.as_bytes()).chain_update(fresh.as_bytes());
        mac.update(&(associated.len() as u64).to_be_bytes());
        mac.update(associated);
        mac.update(plaintext);
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        nonce
    }
}

#[cfg(test)]
mod tests;
