use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::kdf::SecretBytes;
use crate::key_file::KeyFileError;
use crate::secret::{KEY_FILE, KdfCost, PASSPHRASE, Secret};

/// 32 secret bytes at rest: encrypted with XChaCha20-Poly1305 under a key that Argon2id derives from a passphrase or key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// [`PASSPHRASE`] or [`KEY_FILE`].
    secret: &'static str,
    cost: KdfCost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    sealed: [u8; SEALED_BYTES],
}

const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
/// The secret and the tag.
const SEALED_BYTES: usize = SecretBytes::LENGTH + 16;

/// An [`Envelope`] as it is in a file.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawEnvelope {
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

/// What an envelope belongs to: the words in front of its header, and the public bytes behind it. Both are authenticated.
#[derive(Clone, Copy)]
pub(crate) struct Belonging<'a> {
    pub(crate) words: &'a str,
    pub(crate) public: &'a [u8],
}

impl Envelope {
    pub(crate) fn seal(
        plaintext: &[u8; SecretBytes::LENGTH],
        belonging: Belonging<'_>,
        secret: Secret<'_>,
        cost: KdfCost,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, KeyFileError> {
        let bytes = secret.bytes_to_seal()?;
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
        random(&mut salt);
        random(&mut nonce);
        if salt == [0; SALT_BYTES] || nonce == [0; NONCE_BYTES] {
            return Err(KeyFileError::Entropy);
        }
        let mut sealed = Self { secret: secret.word(), cost: cost.check()?, salt, nonce, sealed: [0; SEALED_BYTES] };
        let payload = Payload { msg: plaintext, aad: &sealed.header(belonging) };
        let encrypted = sealed.cipher(bytes)?.encrypt(&XNonce::from(nonce), payload);
        let encrypted = encrypted.map_err(|_| KeyFileError::OutOfMemory)?;
        sealed.sealed = encrypted.try_into().map_err(|_| KeyFileError::OutOfMemory)?;
        Ok(sealed)
    }

    pub(crate) fn open(&self, belonging: Belonging<'_>, secret: Secret<'_>) -> Result<SecretBytes, KeyFileError> {
        if secret.word() != self.secret {
            let expected = if self.needs_passphrase() { "passphrase" } else { "key file" };
            return Err(KeyFileError::OtherSecret { expected });
        }
        let wrong = KeyFileError::WrongSecret { kind: secret.kind() };
        let payload = Payload { msg: &self.sealed, aad: &self.header(belonging) };
        let opened = self.cipher(secret.bytes())?.decrypt(&XNonce::from(self.nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| wrong.clone())?);
        SecretBytes::from_slice(&opened).ok_or(wrong)
    }

    pub(crate) fn needs_passphrase(&self) -> bool {
        self.secret == PASSPHRASE
    }

    pub(crate) fn to_raw(&self) -> RawEnvelope {
        RawEnvelope {
            secret: self.secret.to_owned(),
            kdf: RawKdf { name: "argon2id".to_owned(), cost: self.cost },
            salt: STANDARD.encode(self.salt),
            nonce: STANDARD.encode(self.nonce),
            sealed: STANDARD.encode(self.sealed),
        }
    }

    pub(crate) fn from_raw(raw: &RawEnvelope) -> Result<Self, KeyFileError> {
        if raw.kdf.name != "argon2id" {
            return Err(KeyFileError::Kdf);
        }
        let secret = [PASSPHRASE, KEY_FILE].into_iter().find(|word| *word == raw.secret);
        Ok(Self {
            secret: secret.ok_or(KeyFileError::SecretKind)?,
            cost: raw.kdf.cost.check()?,
            salt: member(&raw.salt, "salt")?,
            nonce: member(&raw.nonce, "nonce")?,
            sealed: member(&raw.sealed, "sealed")?,
        })
    }

    /// What is authenticated along with the secret: everything else that the file says.
    fn header(&self, belonging: Belonging<'_>) -> Vec<u8> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let Belonging { words, public } = belonging;
        let mut header = format!("{words} {} {memory_kib} {passes} {lanes} ", self.secret).into_bytes();
        header.extend(public);
        header
    }

    fn cipher(&self, secret: &[u8]) -> Result<XChaCha20Poly1305, KeyFileError> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let failed = |_| KeyFileError::OutOfMemory;
        let params = Params::new(memory_kib, passes, lanes, None).map_err(failed)?;
        let mut key = Zeroizing::new([0; 32]);
        let kdf = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // What is in the memory gives the key away.
        let mut memory = Zeroizing::new(Vec::new());
        let blocks = kdf.params().block_count();
        memory.try_reserve_exact(blocks).map_err(|_| KeyFileError::OutOfMemory)?;
        memory.resize(blocks, Block::new());
        kdf.hash_password_into_with_memory(secret, &self.salt, &mut *key, memory.as_mut_slice()).map_err(failed)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

fn member<const N: usize>(text: &str, member: &'static str) -> Result<[u8; N], KeyFileError> {
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(KeyFileError::Member { member, bytes: N })
}
