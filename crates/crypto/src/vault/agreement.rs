use std::fmt;

use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};

use super::error::KeyUseError;
use super::material::{KeyKind, KeyMaterial, Ring, Scope};
use super::{KEY_CONTEXT_BYTES_MAX, SecretBytes};
use crate::digest::write_hex;
use crate::kdf::hkdf;

/// An X25519 public key: any 32 bytes. Those that are unsafe are refused where they are used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AgreementPublicKey([u8; Self::LENGTH]);

impl AgreementPublicKey {
    /// Bytes in a key.
    pub const LENGTH: usize = 32;

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The key with these bytes, whose number may be wrong.
    ///
    /// # Errors
    /// There are not 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyUseError> {
        bytes.try_into().map(Self).map_err(|_| KeyUseError::Malformed { what: "public key" })
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for AgreementPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A key agreement key of an actor, in all its versions.
#[derive(Debug)]
pub struct AgreementKeys(Ring);

impl AgreementKeys {
    pub(super) const fn new(ring: Ring) -> Self {
        Self(ring)
    }

    /// The public half of the newest version.
    #[must_use]
    pub fn public_key(&self) -> AgreementPublicKey {
        public_half(&agreement_key(self.0.newest()))
    }

    /// The public halves of all versions, newest first.
    #[must_use]
    pub fn public_keys(&self) -> Vec<(u32, AgreementPublicKey)> {
        self.0.versions().map(|(version, secret)| (version, public_half(&agreement_key(secret)))).collect()
    }

    /// The secret that the newest version shares with a peer, for one context. The peer gets the same from our public key and that
    /// context. It comes as material for a key of this actor, never as bytes: it is HKDF-SHA-256 of the shared point, both public
    /// keys and the context.
    ///
    /// # Errors
    /// The peer's key is of small order, or the context too large.
    pub fn agree(&self, peer: &AgreementPublicKey, context: &[u8]) -> Result<KeyMaterial, KeyUseError> {
        agree(&agreement_key(self.0.newest()), peer, context)
    }

    /// As [`Self::agree`], with the version that has the public half `own`: for a peer that has not seen the newest.
    ///
    /// # Errors
    /// As [`Self::agree`]; or no version has that public half.
    pub fn agree_as(
        &self,
        own: &AgreementPublicKey,
        peer: &AgreementPublicKey,
        context: &[u8],
    ) -> Result<KeyMaterial, KeyUseError> {
        let mut keys = self.0.versions().map(|(_, secret)| agreement_key(secret));
        let key = keys.find(|key| public_half(key) == *own).ok_or(KeyUseError::NotOurs)?;
        agree(&key, peer, context)
    }
}

fn agreement_key(secret: &SecretBytes) -> StaticSecret {
    StaticSecret::from(*secret.derive("agreement", &[]).as_bytes())
}

fn public_half(key: &StaticSecret) -> AgreementPublicKey {
    AgreementPublicKey(PublicKey::from(key).to_bytes())
}

/// The point that both sides get; none if it would be zero, the same for everybody.
fn shared_point(key: &StaticSecret, peer: &AgreementPublicKey) -> Option<SharedSecret> {
    let shared = key.diffie_hellman(&PublicKey::from(peer.0));
    shared.was_contributory().then_some(shared)
}

fn agree(key: &StaticSecret, peer: &AgreementPublicKey, context: &[u8]) -> Result<KeyMaterial, KeyUseError> {
    KeyUseError::check("context", context.len(), KEY_CONTEXT_BYTES_MAX)?;
    let shared = shared_point(key, peer).ok_or(KeyUseError::SmallOrder)?;
    // Both sides put the keys in the same order.
    let own = public_half(key);
    let (low, high) = if own.0 <= peer.0 { (&own, peer) } else { (peer, &own) };
    let secret = hkdf(shared.as_bytes(), "shared secret", &[&low.0, &high.0, context]);
    Ok(KeyMaterial { kind: KeyKind::Secret, scope: Scope::Shared, secret })
}

#[cfg(test)]
mod tests;
