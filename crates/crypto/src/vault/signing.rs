use super::error::KeyUseError;
use super::material::Ring;
use super::{KEY_INPUT_BYTES_MAX, SecretBytes};
use crate::sign::{Signature, SigningKey, VerifyingKey};

/// A signing key of an actor, in all its versions.
#[derive(Debug)]
pub struct SigningKeys {
    ring: Ring,
    newest: SigningKey,
}

impl SigningKeys {
    pub(super) fn new(ring: Ring) -> Self {
        let newest = signing_key(ring.newest());
        Self { ring, newest }
    }

    /// Signs `message` itself with the newest version: no prefix, no hash, no context.
    ///
    /// # Errors
    /// The message is larger than [`KEY_INPUT_BYTES_MAX`]. Sign its hash.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyUseError> {
        KeyUseError::check("message", message.len(), KEY_INPUT_BYTES_MAX)?;
        Ok(self.newest.sign(message))
    }

    /// The public half of the newest version.
    #[must_use]
    pub fn public_key(&self) -> VerifyingKey {
        self.newest.verifying_key()
    }

    /// The public halves of all versions, newest first.
    #[must_use]
    pub fn public_keys(&self) -> Vec<(u32, VerifyingKey)> {
        let public = |(version, secret)| (version, signing_key(secret).verifying_key());
        self.ring.versions().map(public).collect()
    }
}

fn signing_key(secret: &SecretBytes) -> SigningKey {
    SigningKey::from_seed(secret.derive("signing", &[]).as_bytes())
}

/// Whether a signature of 64 bytes belongs to a message and a public key of 32 bytes. A signature of another length does not.
///
/// # Errors
/// The public key is malformed or unsafe, or the message is larger than [`KEY_INPUT_BYTES_MAX`].
pub fn verify_signature(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, KeyUseError> {
    KeyUseError::check("message", message.len(), KEY_INPUT_BYTES_MAX)?;
    let key = VerifyingKey::from_slice(public_key).map_err(|_| KeyUseError::Malformed { what: "public key" })?;
    let signature = signature.try_into().map(Signature::from_bytes);
    Ok(signature.is_ok_and(|signature| key.verify(message, &signature).is_ok()))
}
