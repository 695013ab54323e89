//! The one way in which keys come from keys: HKDF-SHA-256 over a label and parts whose lengths are part of the input, so that no two
//! lists of parts are the same bytes.

use std::fmt;

use hkdf::{Hkdf, InvalidLength};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

/// A source of secure randomness, which fills the bytes that it is given.
pub(crate) type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// 32 secret bytes, wiped when dropped. They stay where they were written: moving the value leaves no copy behind.
pub(crate) struct SecretBytes(Box<Zeroizing<[u8; Self::LENGTH]>>);

impl SecretBytes {
    pub(crate) const LENGTH: usize = 32;

    /// Bytes that `fill` writes in place.
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8; Self::LENGTH])) -> Self {
        let mut bytes = Box::new(Zeroizing::new([0; Self::LENGTH]));
        fill(&mut bytes);
        Self(bytes)
    }

    /// Random bytes; none if the source left them zero, which no working source does.
    pub(crate) fn random(random: Random<'_>) -> Option<Self> {
        let bytes = Self::filled(|bytes| random(bytes));
        bytes.as_bytes().iter().any(|byte| *byte != 0).then_some(bytes)
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == Self::LENGTH).then(|| Self::filled(|to| to.copy_from_slice(bytes)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The key for one use of this secret: `label` names the use, `parts` what it is bound to.
    pub(crate) fn derive(&self, label: &str, parts: &[&[u8]]) -> Self {
        hkdf(self.as_bytes(), label, parts)
    }

    /// Eight bytes that tell secrets apart and say nothing about them.
    pub(crate) fn derive_id(&self, label: &str, parts: &[&[u8]]) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = *self.derive(label, parts).as_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

impl Clone for SecretBytes {
    fn clone(&self) -> Self {
        Self::filled(|bytes| bytes.copy_from_slice(self.as_bytes()))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

/// Every derivation of this crate has it; another application that uses the same secret gets other keys.
const SALT: &[u8] = b"playhouse keys 1";

/// A key from input key material.
pub(crate) fn hkdf(material: &[u8; SecretBytes::LENGTH], label: &str, parts: &[&[u8]]) -> SecretBytes {
    let info = framed(label, parts);
    SecretBytes::filled(|key| {
        // INVARIANT: HKDF-SHA-256 gives up to 8,160 bytes, and these are 32.
        #[expect(clippy::expect_used, reason = "32 bytes are below the limit of HKDF")]
        hkdf_sha256(SALT, material, &info, key).expect("32 bytes");
    })
}

/// HKDF-SHA-256 as RFC 5869 has it.
fn hkdf_sha256(salt: &[u8], material: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), InvalidLength> {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(Some(salt), material);
    extracted.as_mut_slice().zeroize();
    hkdf.expand(info, out)
}

/// A label and parts, each behind its length: different lists never give the same bytes.
pub(crate) fn framed(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let all = || [label.as_bytes()].into_iter().chain(parts.iter().copied());
    let mut bytes = Vec::with_capacity(all().map(|part| 8 + part.len()).sum());
    for part in all() {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// HMAC-SHA-256 that has seen nothing.
pub(crate) fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // INVARIANT: HMAC takes keys of every length.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(key).expect("any length")
}

/// HMAC-SHA-256 of a message.
pub(crate) fn hmac_of(key: &SecretBytes, message: &[u8]) -> [u8; 32] {
    hmac(key.as_bytes()).chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
