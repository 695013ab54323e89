use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use crate::digest::write_hex;
use crate::key_id::KeyId;

/// An Ed25519 private key. Its memory is wiped when it is dropped, and no output shows it.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Bytes in a seed.
    pub const SEED_LENGTH: usize = 32;

    /// The key that a seed of 32 random bytes stands for. The caller wipes its copy of the seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; Self::SEED_LENGTH]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// A new key from a source of secure randomness, which fills the bytes that it is given.
    #[must_use]
    pub fn generate(mut random: impl FnMut(&mut [u8])) -> Self {
        let mut seed = Zeroizing::new([0; Self::SEED_LENGTH]);
        random(&mut *seed);
        Self::from_seed(&seed)
    }

    /// Signs `message` itself: no prefix, no hash, no context.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// The name of the public half.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.verifying_key().key_id()
    }

    /// The seed, for writing key files.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; Self::SEED_LENGTH]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id())
    }
}

/// An Ed25519 public key, in canonical form and not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// Why bytes are not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The text is not standard base64 with padding.
    #[error("public key is not standard base64")]
    Base64,
    /// A key has another length.
    #[error("public key has {found} bytes, not 32")]
    Length {
        /// Bytes that there were.
        found: usize,
    },
    /// The bytes are not a point of the curve.
    #[error("public key is not a point of the curve")]
    NotAPoint,
    /// The point has another, canonical encoding.
    #[error("public key is not in canonical form")]
    NotCanonical,
    /// Everybody can make signatures that such a key accepts.
    #[error("public key is of small order")]
    SmallOrder,
}

impl VerifyingKey {
    /// Bytes in a key.
    pub const LENGTH: usize = 32;

    /// The key with these bytes.
    ///
    /// # Errors
    /// Refuses what is not a point, not its canonical encoding, or a point of small order.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, PublicKeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::NotAPoint)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(PublicKeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(PublicKeyError::SmallOrder);
        }
        Ok(Self(key))
    }

    /// The key with these bytes, whose number may be wrong.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and when there are not 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_bytes(bytes.try_into().map_err(|_| PublicKeyError::Length { found: bytes.len() })?)
    }

    /// The key in standard base64, as trust files and key files have it. White space around it does no harm.
    ///
    /// # Errors
    /// As [`Self::from_slice`], and when the text is not base64.
    pub fn from_base64(text: &str) -> Result<Self, PublicKeyError> {
        Self::from_slice(&STANDARD.decode(text.trim()).map_err(|_| PublicKeyError::Base64)?)
    }

    /// The key in standard base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        self.0.as_bytes()
    }

    /// The short name.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::of(self)
    }

    /// Whether `signature` was made with this key over exactly `message`. The check is strict: signatures that are not in
    /// canonical form or have a point of small order do not pass.
    ///
    /// # Errors
    /// The signature is not valid. There is nothing more to know.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| SignatureError)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.as_bytes())
    }
}

/// An Ed25519 signature: 64 bytes that have not been checked against anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Self::LENGTH]);

impl Signature {
    /// Bytes in a signature.
    pub const LENGTH: usize = 64;

    /// The signature with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A signature does not belong to the message and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature is not valid")]
pub struct SignatureError;

#[cfg(test)]
mod tests;
