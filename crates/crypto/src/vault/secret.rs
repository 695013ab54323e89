use super::error::KeyUseError;
use super::material::{KeyKind, KeyMaterial, Ring, Scope};
use super::{KEY_CONTEXT_BYTES_MAX, KEY_INPUT_BYTES_MAX, SecretBytes};
use crate::aead::{DataKey, NONCE_BYTES, TAG_BYTES};
use crate::compare::equal_constant_time;
use crate::kdf::{framed, hmac_of};

/// A secret key of an actor, in all its versions: it seals, authenticates and derives, with a key of its own for each.
///
/// What it makes is bound to the actor and the name of the key, or, if the secret was agreed upon with a peer, to that secret
/// alone: then the peer opens what we seal. A peer can send back what it got; put the direction into the context.
///
/// Sealed data of format 1: `PHs` and the format; the id of the version's key, 8 bytes; the nonce, 24 bytes; the ciphertext, as long
/// as the plaintext; the tag, 16 bytes.
#[derive(Debug)]
pub struct SecretKeys {
    ring: Ring,
    /// What keys are bound to: the actor and the name of the key, or nothing.
    bound: Vec<u8>,
}

const FORMAT: [u8; 4] = *b"PHs\x01";
const ID_BYTES: usize = 8;
const HEADER_BYTES: usize = FORMAT.len() + ID_BYTES;

impl SecretKeys {
    /// Bytes by which sealed data is longer than its plaintext.
    pub const SEALED_OVERHEAD: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
    /// Bytes in a tag.
    pub const TAG_LENGTH: usize = 32;

    pub(super) fn new(ring: Ring, actor: &str, name: &str) -> Self {
        let bound = match ring.scope {
            Scope::Own => framed("own", &[actor.as_bytes(), name.as_bytes()]),
            Scope::Shared => framed("shared", &[]),
        };
        Self { ring, bound }
    }

    /// Encrypts with the newest version. The context says what the data belongs to; it is not contained, and the data opens only with
    /// the same. `random` is a source of secure randomness; if it fails to be one, equal data can be told to be equal, nothing more.
    ///
    /// # Errors
    /// Plaintext or context is too large, or the source gives nothing.
    pub fn seal(
        &self,
        plaintext: &[u8],
        context: &[u8],
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, KeyUseError> {
        KeyUseError::check("plaintext", plaintext.len(), KEY_INPUT_BYTES_MAX)?;
        KeyUseError::check("context", context.len(), KEY_CONTEXT_BYTES_MAX)?;
        let secret = self.ring.newest();
        let mut sealed = Vec::with_capacity(plaintext.len() + Self::SEALED_OVERHEAD);
        sealed.extend_from_slice(&FORMAT);
        sealed.extend_from_slice(&self.id(secret));
        let associated = self.associated(&sealed, context);
        self.data_key(secret).seal(plaintext, &associated, &mut random, &mut sealed).ok_or(KeyUseError::Entropy)?;
        Ok(sealed)
    }

    /// Decrypts what any version that is kept has sealed.
    ///
    /// # Errors
    /// The data is not sealed data, was sealed with another key, or it or the context was altered.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyUseError> {
        KeyUseError::check("ciphertext", sealed.len(), KEY_INPUT_BYTES_MAX + Self::SEALED_OVERHEAD)?;
        KeyUseError::check("context", context.len(), KEY_CONTEXT_BYTES_MAX)?;
        let (header, rest) = sealed.split_first_chunk::<HEADER_BYTES>().ok_or(KeyUseError::NotSealed)?;
        let id = header.strip_prefix(&FORMAT).ok_or(KeyUseError::NotSealed)?;
        if rest.len() < NONCE_BYTES + TAG_BYTES {
            return Err(KeyUseError::NotSealed);
        }
        let mut versions = self.ring.versions().map(|(_, secret)| secret);
        let secret = versions.find(|secret| self.id(secret) == id).ok_or(KeyUseError::OtherKey)?;
        let associated = self.associated(header, context);
        self.data_key(secret).open(rest, &associated).ok_or(KeyUseError::Altered)
    }

    /// HMAC-SHA-256 of a message, under the newest version.
    ///
    /// # Errors
    /// The message is larger than [`KEY_INPUT_BYTES_MAX`].
    pub fn mac(&self, message: &[u8]) -> Result<[u8; Self::TAG_LENGTH], KeyUseError> {
        KeyUseError::check("message", message.len(), KEY_INPUT_BYTES_MAX)?;
        Ok(self.tag(self.ring.newest(), message))
    }

    /// Whether [`Self::mac`] gives that tag, with any version that is kept. All are tried, in constant time.
    ///
    /// # Errors
    /// The message is larger than [`KEY_INPUT_BYTES_MAX`].
    pub fn verify_mac(&self, message: &[u8], tag: &[u8]) -> Result<bool, KeyUseError> {
        KeyUseError::check("message", message.len(), KEY_INPUT_BYTES_MAX)?;
        if tag.len() != Self::TAG_LENGTH {
            return Ok(false);
        }
        let matches = |(_, secret)| equal_constant_time(&self.tag(secret, message), tag);
        Ok(self.ring.versions().map(matches).fold(false, |any, one| any | one))
    }

    /// A new secret for one context, from the newest version: the same context always gives the same.
    ///
    /// # Errors
    /// The context is larger than [`KEY_CONTEXT_BYTES_MAX`].
    pub fn derive(&self, context: &[u8]) -> Result<KeyMaterial, KeyUseError> {
        KeyUseError::check("context", context.len(), KEY_CONTEXT_BYTES_MAX)?;
        let secret = self.ring.newest().derive("derived", &[&self.bound, context]);
        Ok(KeyMaterial { kind: KeyKind::Secret, scope: self.ring.scope, secret })
    }

    fn id(&self, secret: &SecretBytes) -> [u8; ID_BYTES] {
        secret.derive_id("id", &[&self.bound])
    }

    fn data_key(&self, secret: &SecretBytes) -> DataKey {
        DataKey::derive(secret, "sealing", &[&self.bound])
    }

    fn tag(&self, secret: &SecretBytes, message: &[u8]) -> [u8; Self::TAG_LENGTH] {
        hmac_of(&secret.derive("authentication", &[&self.bound]), message)
    }

    fn associated(&self, header: &[u8], context: &[u8]) -> Vec<u8> {
        framed("sealed data", &[header, &self.bound, context])
    }
}
