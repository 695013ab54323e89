//! The key of a node under which the keys of its actors are sealed, and the forms in which it is kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest::write_hex;
use crate::kdf::SecretBytes;
use crate::key_file::KeyFileError;
use crate::sealed::envelope::{Belonging, Envelope, RawEnvelope};
use crate::secret::{KdfCost, Secret};

/// The secret of a node under which the keys of its actors are sealed. Whoever has it and the store has every key.
///
/// It is kept as a line of text ([`Self::danger_to_text`]) in a file that only the node can read, in an environment variable or
/// in a keyring; or sealed with a passphrase or key file ([`SealedMasterKey`]). [`MasterKeyFile::parse`] reads both forms.
pub struct MasterKey {
    secret: SecretBytes,
    id: MasterKeyId,
}

/// Tells master keys apart, so that a record says which one it needs. It is public.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterKeyId([u8; Self::LENGTH]);

impl MasterKeyId {
    const LENGTH: usize = 8;

    /// The id with these bytes.
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

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// In front of the key in its text form, so that a leaked one is found by searching for it.
const PREFIX: &str = "playhouse-master-key-1:";

impl MasterKey {
    /// A new master key. `random` is a source of secure randomness, which fills the bytes that it is given.
    ///
    /// # Errors
    /// [`KeyFileError::Entropy`] if the source leaves the bytes zero.
    pub fn generate(mut random: impl FnMut(&mut [u8])) -> Result<Self, KeyFileError> {
        SecretBytes::random(&mut random).map(Self::new).ok_or(KeyFileError::Entropy)
    }

    fn new(secret: SecretBytes) -> Self {
        let id = MasterKeyId(secret.derive_id("master key", &[]));
        Self { secret, id }
    }

    /// Its public name.
    #[must_use]
    pub const fn id(&self) -> MasterKeyId {
        self.id
    }

    /// The key as one line of text, in the clear.
    #[must_use]
    pub fn danger_to_text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(STANDARD.encode(self.secret.as_bytes()));
        Zeroizing::new(format!("{PREFIX}{}\n", *encoded))
    }

    pub(crate) const fn secret(&self) -> &SecretBytes {
        &self.secret
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// A master key that needs its passphrase or key file. Sealing it again with another passphrase changes no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedMasterKey {
    id: MasterKeyId,
    envelope: Envelope,
}

const FORMAT: u64 = 1;
const WORDS: &str = "playhouse-sealed-master-key 1";

#[derive(Serialize, Deserialize)]
struct RawSealedMaster {
    playhouse_sealed_master_key: u64,
    #[serde(flatten)]
    envelope: RawEnvelope,
    key_id: String,
}

impl SealedMasterKey {
    /// Seals a master key. `random` is a source of secure randomness, which fills the bytes that it is given.
    ///
    /// # Errors
    /// The secret is too short, the cost out of bounds, there is not enough memory, or the source gives nothing.
    pub fn seal(
        key: &MasterKey,
        secret: Secret<'_>,
        cost: KdfCost,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<Self, KeyFileError> {
        let id = key.id;
        let envelope = Envelope::seal(key.secret.as_bytes(), belonging(&id), secret, cost, &mut random)?;
        Ok(Self { id, envelope })
    }

    /// Opens the key. Takes as long as [`KdfCost`] says, and as much memory.
    ///
    /// # Errors
    /// The secret is of the other kind or does not open the key; or there is not enough memory.
    pub fn open(&self, secret: Secret<'_>) -> Result<MasterKey, KeyFileError> {
        let key = MasterKey::new(self.envelope.open(belonging(&self.id), secret)?);
        let wrong = KeyFileError::WrongSecret { kind: secret.kind() };
        if key.id == self.id { Ok(key) } else { Err(wrong) }
    }

    /// The public name of the key, which needs no opening.
    #[must_use]
    pub const fn id(&self) -> MasterKeyId {
        self.id
    }

    /// Whether a passphrase opens it, and not a key file.
    #[must_use]
    pub fn needs_passphrase(&self) -> bool {
        self.envelope.needs_passphrase()
    }

    /// The key as a file; [`MasterKeyFile::parse`] reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = RawSealedMaster {
            playhouse_sealed_master_key: FORMAT,
            envelope: self.envelope.to_raw(),
            key_id: self.id.to_string(),
        };
        // Strings and numbers alone cannot fail to become JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let syntax = |error: serde_json::Error| KeyFileError::Json { line: error.line(), column: error.column() };
        let raw: RawSealedMaster = serde_json::from_slice(bytes).map_err(syntax)?;
        if raw.playhouse_sealed_master_key != FORMAT {
            return Err(KeyFileError::Version { found: raw.playhouse_sealed_master_key });
        }
        let id = crate::digest::parse_hex(&raw.key_id).map(MasterKeyId);
        Ok(Self { id: id.ok_or(KeyFileError::MasterKeyId)?, envelope: Envelope::from_raw(&raw.envelope)? })
    }
}

fn belonging(id: &MasterKeyId) -> Belonging<'_> {
    Belonging { words: WORDS, public: &id.0 }
}

/// What was in a file, an environment variable or a keyring that has a master key.
#[derive(Debug)]
#[non_exhaustive]
pub enum MasterKeyFile {
    /// A master key in the clear.
    Plain(MasterKey),
    /// A master key that needs its passphrase or key file.
    Sealed(SealedMasterKey),
}

impl MasterKeyFile {
    /// Bytes of a master key's file. The sealed form, the larger one, has about 500.
    pub const BYTES_MAX: usize = 4 << 10;

    /// Reads either form; white space around it does no harm. The caller wipes its copy of the bytes.
    ///
    /// # Errors
    /// Names the rule that is broken. No text of the file is in the error.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(KeyFileError::TooLarge { bytes: bytes.len(), limit: Self::BYTES_MAX });
        }
        let bytes = bytes.trim_ascii();
        if bytes.starts_with(b"{") {
            return SealedMasterKey::parse(bytes).map(Self::Sealed);
        }
        let text = bytes.strip_prefix(PREFIX.as_bytes()).ok_or(KeyFileError::NoMasterKey)?;
        let decoded = STANDARD.decode(text).map(Zeroizing::new).map_err(|_| KeyFileError::MasterKeyText)?;
        let secret = SecretBytes::from_slice(&decoded).ok_or(KeyFileError::MasterKeyText)?;
        // A file that somebody filled by hand.
        if secret.as_bytes().windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(KeyFileError::MasterKeyText);
        }
        Ok(Self::Plain(MasterKey::new(secret)))
    }
}

#[cfg(test)]
mod tests;
