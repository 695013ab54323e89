use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key_file::{KeyFileError, public_key};
use crate::secret::{KEY_FILE, KdfCost, PASSPHRASE, Secret};
use crate::sign::{SigningKey, VerifyingKey};

/// A private key at rest: encrypted with XChaCha20-Poly1305 under a key that Argon2id derives from a passphrase or key file.
///
/// The public key stands beside it in the clear and is authenticated with it, so that a file says whose it is without being
/// opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    public: VerifyingKey,
    /// [`PASSPHRASE`] or [`KEY_FILE`].
    secret: &'static str,
    cost: KdfCost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    sealed: [u8; SEALED_BYTES],
}

const FORMAT: u64 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
/// The seed and the tag.
const SEALED_BYTES: usize = SigningKey::SEED_LENGTH + 16;

#[derive(Serialize, Deserialize)]
pub(crate) struct RawSealed {
    playhouse_sealed_key: u64,
    secret: String,
    kdf: RawKdf,
    salt: String,
    nonce: String,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
struct RawKdf {
    name: String,
    #[serde(flatten)]
    cost: KdfCost,
}

#[derive(Serialize)]
struct RawFile {
    #[serde(flatten)]
    sealed: RawSealed,
    public_key: String,
    key_id: String,
}

impl SealedKey {
    /// Seals a key. `random` is a source of secure randomness, which fills the bytes that it is given.
    ///
    /// # Errors
    /// The secret is too short, the cost out of bounds, or there is not enough memory.
    pub fn seal(
        key: &SigningKey,
        secret: Secret<'_>,
        cost: KdfCost,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<Self, KeyFileError> {
        let bytes = secret.bytes_to_seal()?;
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
        random(&mut salt);
        random(&mut nonce);
        let public = key.verifying_key();
        let mut sealed =
            Self { public, secret: secret.word(), cost: cost.check()?, salt, nonce, sealed: [0; SEALED_BYTES] };
        let seed = key.seed();
        let payload = Payload { msg: seed.as_slice(), aad: &sealed.header() };
        let encrypted = sealed.cipher(bytes)?.encrypt(&XNonce::from(nonce), payload);
        let encrypted = encrypted.map_err(|_| KeyFileError::OutOfMemory)?;
        sealed.sealed = encrypted.try_into().map_err(|_| KeyFileError::OutOfMemory)?;
        Ok(sealed)
    }

    /// Opens the key. Takes as long as [`KdfCost`] says, and as much memory.
    ///
    /// # Errors
    /// The secret is of the other kind or does not open the key; or there is not enough memory.
    pub fn open(&self, secret: Secret<'_>) -> Result<SigningKey, KeyFileError> {
        if secret.word() != self.secret {
            let expected = if self.secret == PASSPHRASE { "passphrase" } else { "key file" };
            return Err(KeyFileError::OtherSecret { expected });
        }
        let wrong = KeyFileError::WrongSecret { kind: secret.kind() };
        let payload = Payload { msg: &self.sealed, aad: &self.header() };
        let seed = self.cipher(secret.bytes())?.decrypt(&XNonce::from(self.nonce), payload);
        let seed = Zeroizing::new(seed.map_err(|_| wrong.clone())?);
        let seed: &[u8; SigningKey::SEED_LENGTH] = seed.as_slice().try_into().map_err(|_| wrong.clone())?;
        let key = SigningKey::from_seed(seed);
        if key.verifying_key() == self.public { Ok(key) } else { Err(wrong) }
    }

    /// The public half, which needs no opening.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    /// Whether a passphrase opens it, and not a key file.
    #[must_use]
    pub fn needs_passphrase(&self) -> bool {
        self.secret == PASSPHRASE
    }

    /// The key as a file; [`KeyFile::parse`](crate::KeyFile::parse) reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let sealed = RawSealed {
            playhouse_sealed_key: FORMAT,
            secret: self.secret.to_owned(),
            kdf: RawKdf { name: "argon2id".to_owned(), cost: self.cost },
            salt: STANDARD.encode(self.salt),
            nonce: STANDARD.encode(self.nonce),
            sealed: STANDARD.encode(self.sealed),
        };
        let public_key = self.public.to_base64();
        let file = RawFile { sealed, public_key, key_id: self.public.key_id().to_string() };
        // Strings and numbers alone cannot fail to become JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    pub(crate) fn from_raw(raw: &RawSealed, public: Option<&str>) -> Result<Self, KeyFileError> {
        if raw.playhouse_sealed_key != FORMAT {
            return Err(KeyFileError::Version { found: raw.playhouse_sealed_key });
        }
        if raw.kdf.name != "argon2id" {
            return Err(KeyFileError::Kdf);
        }
        let secret = [PASSPHRASE, KEY_FILE].into_iter().find(|word| *word == raw.secret);
        Ok(Self {
            public: public_key(public, "public_key")?.ok_or(KeyFileError::NoKey)?,
            secret: secret.ok_or(KeyFileError::SecretKind)?,
            cost: raw.kdf.cost.check()?,
            salt: member(&raw.salt, "salt")?,
            nonce: member(&raw.nonce, "nonce")?,
            sealed: member(&raw.sealed, "sealed")?,
        })
    }

    /// What is authenticated along with the key: everything else that the file says.
    fn header(&self) -> Vec<u8> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let mut header =
            format!("playhouse-sealed-key {FORMAT} {} {memory_kib} {passes} {lanes} ", self.secret).into_bytes();
        header.extend(self.public.as_bytes());
        header
    }

    fn cipher(&self, secret: &[u8]) -> Result<XChaCha20Poly1305, KeyFileError> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let failed = |_| KeyFileError::OutOfMemory;
        let params = Params::new(memory_kib, passes, lanes, None).map_err(failed)?;
        let mut key = Zeroizing::new([0; 32]);
        let kdf = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        kdf.hash_password_into(secret, &self.salt, &mut *key).map_err(failed)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

fn member<const N: usize>(text: &str, member: &'static str) -> Result<[u8; N], KeyFileError> {
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(KeyFileError::Member { member, bytes: N })
}

#[cfg(test)]
mod tests;
