//! Key files: those of actr 0.3, and ours, which are sealed.

mod error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

pub use error::KeyFileError;

use crate::sealed::{RawSealed, SealedKey};
use crate::sign::{SigningKey, VerifyingKey};

/// What was in a key file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeyFile {
    /// A public key, as trust files refer to it.
    Public(VerifyingKey),
    /// A private key in the clear, of the tool of actr 0.3 or a manufacturer document. Import it: seal it and delete the file.
    Plain(SigningKey),
    /// A private key that needs its passphrase or key file.
    Sealed(SealedKey),
}

/// Every member that any form of key file has. Others are ignored.
#[derive(Deserialize)]
struct RawKeyFile {
    private_key: Option<String>,
    public_key: Option<String>,
    certificate: Option<RawCertificate>,
    playhouse_sealed_key: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawCertificate {
    key_id: Option<String>,
    mfr_pubkey: Option<String>,
}

impl KeyFile {
    /// Bytes of a key file. The largest form, a manufacturer document, has about 1 KiB.
    pub const BYTES_MAX: usize = 64 << 10;

    /// Reads any form of key file: a sealed key, a key pair of actr 0.3, a manufacturer document, a public key.
    ///
    /// # Errors
    /// Names the member and the rule that it breaks. No text of the file is in the error.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(KeyFileError::TooLarge { bytes: bytes.len(), limit: Self::BYTES_MAX });
        }
        let syntax = |error: serde_json::Error| KeyFileError::Json { line: error.line(), column: error.column() };
        let mut raw: RawKeyFile = serde_json::from_slice(bytes).map_err(syntax)?;
        let private = raw.private_key.take().map(Zeroizing::new);
        if raw.playhouse_sealed_key.is_some() {
            let sealed = serde_json::from_slice::<RawSealed>(bytes).map_err(syntax)?;
            return SealedKey::from_raw(&sealed, raw.public_key.as_deref()).map(Self::Sealed);
        }
        let public = public_key(raw.public_key.as_deref(), "public_key")?;
        let (certified, key_id) = match raw.certificate {
            Some(raw) => (public_key(raw.mfr_pubkey.as_deref(), "certificate.mfr_pubkey")?, raw.key_id),
            None => (None, None),
        };
        let private = private.map(|text| private_key(&text)).transpose()?;
        let known = private.as_ref().map(SigningKey::verifying_key).or(public).or(certified);
        let known = known.ok_or(KeyFileError::NoKey)?;
        for (key, member) in [(public, "public_key"), (certified, "certificate.mfr_pubkey")] {
            if key.is_some_and(|key| key != known) {
                return Err(KeyFileError::KeysDiffer { member });
            }
        }
        if key_id.is_some_and(|id| id != known.key_id().to_string()) {
            return Err(KeyFileError::KeyIdDiffers { expected: known.key_id() });
        }
        Ok(private.map_or(Self::Public(known), Self::Plain))
    }

    /// The public key, which every form has.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Public(key) => *key,
            Self::Plain(key) => key.verifying_key(),
            Self::Sealed(sealed) => sealed.verifying_key(),
        }
    }

    /// A public key file, for those who verify.
    #[must_use]
    pub fn public_json(key: &VerifyingKey) -> String {
        let (public, id) = (key.to_base64(), key.key_id());
        format!("{{\n  \"public_key\": \"{public}\",\n  \"key_id\": \"{id}\"\n}}\n")
    }

    /// A key pair file in the clear, as the tool of actr 0.3 reads it. Whoever can read the file can sign.
    #[must_use]
    pub fn danger_plain_json(key: &SigningKey, created_at: &str) -> Zeroizing<String> {
        let private = Zeroizing::new(STANDARD.encode(*key.seed()));
        let public = key.verifying_key().to_base64();
        let created_at = serde_json::Value::from(created_at);
        Zeroizing::new(format!(
            "{{\n  \"private_key\": \"{}\",\n  \"public_key\": \"{public}\",\n  \"created_at\": {created_at}\n}}\n",
            *private
        ))
    }
}

pub(crate) fn public_key(text: Option<&str>, member: &'static str) -> Result<Option<VerifyingKey>, KeyFileError> {
    let wrong = |rule| KeyFileError::PublicKey { member, rule };
    text.map(|text| VerifyingKey::from_base64(text).map_err(wrong)).transpose()
}

fn private_key(text: &str) -> Result<SigningKey, KeyFileError> {
    let decoded = STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| KeyFileError::PrivateKeyBase64)?;
    let seed: &[u8; SigningKey::SEED_LENGTH] =
        decoded.as_slice().try_into().map_err(|_| KeyFileError::PrivateKeyLength { found: decoded.len() })?;
    Ok(SigningKey::from_seed(seed))
}

#[cfg(test)]
mod tests;
