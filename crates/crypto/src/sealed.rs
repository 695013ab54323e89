pub(crate) mod envelope;

use serde::{Deserialize, Serialize};

use crate::key_file::{KeyFileError, public_key};
use crate::secret::{KdfCost, Secret};
use crate::sign::{SigningKey, VerifyingKey};
use envelope::{Belonging, Envelope, RawEnvelope};

/// A private key at rest: encrypted with XChaCha20-Poly1305 under a key that Argon2id derives from a passphrase or key file.
///
/// The public key stands beside it in the clear and is authenticated with it, so that a file says whose it is without being
/// opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    public: VerifyingKey,
    envelope: Envelope,
}

const FORMAT: u64 = 1;
const WORDS: &str = "playhouse-sealed-key 1";

#[derive(Serialize, Deserialize)]
pub(crate) struct RawSealed {
    playhouse_sealed_key: u64,
    #[serde(flatten)]
    envelope: RawEnvelope,
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
    /// The secret is too short, the cost out of bounds, there is not enough memory, or the source gives nothing.
    pub fn seal(
        key: &SigningKey,
        secret: Secret<'_>,
        cost: KdfCost,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<Self, KeyFileError> {
        let public = key.verifying_key();
        let envelope = Envelope::seal(&key.seed(), belonging(&public), secret, cost, &mut random)?;
        Ok(Self { public, envelope })
    }

    /// Opens the key. Takes as long as [`KdfCost`] says, and as much memory.
    ///
    /// # Errors
    /// The secret is of the other kind or does not open the key; or there is not enough memory.
    pub fn open(&self, secret: Secret<'_>) -> Result<SigningKey, KeyFileError> {
        let seed = self.envelope.open(belonging(&self.public), secret)?;
        let key = SigningKey::from_seed(seed.as_bytes());
        let wrong = KeyFileError::WrongSecret { kind: secret.kind() };
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
        self.envelope.needs_passphrase()
    }

    /// The key as a file; [`KeyFile::parse`](crate::KeyFile::parse) reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let sealed = RawSealed { playhouse_sealed_key: FORMAT, envelope: self.envelope.to_raw() };
        let public_key = self.public.to_base64();
        let file = RawFile { sealed, public_key, key_id: self.public.key_id().to_string() };
        // Strings and numbers alone cannot fail to become JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    pub(crate) fn from_raw(raw: &RawSealed, public: Option<&str>) -> Result<Self, KeyFileError> {
        if raw.playhouse_sealed_key != FORMAT {
            return Err(KeyFileError::Version { found: raw.playhouse_sealed_key });
        }
        let envelope = Envelope::from_raw(&raw.envelope)?;
        let public = public_key(public, "public_key")?.ok_or(KeyFileError::NoKey)?;
        Ok(Self { public, envelope })
    }
}

fn belonging(public: &VerifyingKey) -> Belonging<'_> {
    Belonging { words: WORDS, public: public.as_bytes() }
}

#[cfg(test)]
mod tests;
