use std::fmt;

use bytes::Bytes;
use playhouse_types::{ActorError, CryptoOp, HashAlgorithm, HostReply, KeyPurpose};

use super::{Context, label, operations, unexpected};

/// Cryptography with keys that the actor can use but never see. A key is made on its first use and belongs to this actor alone; one
/// name means one key per purpose. A key that a failed message made is dropped with its effects. Needs the grant `crypto`.
#[derive(Clone, Copy)]
pub struct Keys<'a>(pub(super) Context<'a>);

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys<'_> {
    /// The public half of a signing or an agreement key, 32 bytes.
    ///
    /// # Errors
    /// If the name is no label, the grant is missing, the actor has too many keys, or the store fails; so for all below that take a name.
    pub async fn public_key(self, key: &str, purpose: KeyPurpose) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::PublicKey { key: label(key)?, purpose }).await
    }

    /// An Ed25519 signature, 64 bytes.
    ///
    /// # Errors
    /// As [`Keys::public_key`].
    pub async fn sign(self, key: &str, message: impl Into<Bytes>) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::Sign { key: label(key)?, message: message.into() }).await
    }

    /// Whether an Ed25519 signature is right.
    ///
    /// # Errors
    /// If the grant is missing.
    pub async fn verify(
        self,
        public_key: impl Into<Bytes>,
        message: impl Into<Bytes>,
        signature: impl Into<Bytes>,
    ) -> Result<bool, ActorError> {
        let (public_key, message, signature) = (public_key.into(), message.into(), signature.into());
        self.flag(CryptoOp::Verify { public_key, message, signature }).await
    }

    /// Encrypts so that only this actor can decrypt, and only with the same context.
    ///
    /// # Errors
    /// As [`Keys::public_key`].
    pub async fn seal(
        self,
        key: &str,
        plaintext: impl Into<Bytes>,
        context: impl Into<Bytes>,
    ) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::Seal { key: label(key)?, plaintext: plaintext.into(), context: context.into() }).await
    }

    /// Decrypts what [`Keys::seal`] made.
    ///
    /// # Errors
    /// As [`Keys::public_key`], and if the ciphertext or the context is not what it was.
    pub async fn open(
        self,
        key: &str,
        ciphertext: impl Into<Bytes>,
        context: impl Into<Bytes>,
    ) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::Open { key: label(key)?, ciphertext: ciphertext.into(), context: context.into() }).await
    }

    /// Makes a secret that a peer makes too (X25519, HKDF), and keeps it as the key `into`.
    ///
    /// # Errors
    /// As [`Keys::public_key`], and if the peer's key is none or there is a key `into`.
    pub async fn agree(
        self,
        key: &str,
        peer: impl Into<Bytes>,
        context: impl Into<Bytes>,
        into: &str,
    ) -> Result<(), ActorError> {
        let (peer, context) = (peer.into(), context.into());
        let op = CryptoOp::Agree { key: label(key)?, peer, context, into: label(into)? };
        operations::crypto(self.0.0, op).await.map(drop)
    }

    /// Makes the key `into` out of another (HKDF).
    ///
    /// # Errors
    /// As [`Keys::public_key`], and if there is a key `into`.
    pub async fn derive(self, key: &str, context: impl Into<Bytes>, into: &str) -> Result<(), ActorError> {
        let context = context.into();
        let op = CryptoOp::Derive { key: label(key)?, context, into: label(into)? };
        operations::crypto(self.0.0, op).await.map(drop)
    }

    /// A digest.
    ///
    /// # Errors
    /// If the grant is missing.
    pub async fn hash(self, algorithm: HashAlgorithm, data: impl Into<Bytes>) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::Hash { algorithm, data: data.into() }).await
    }

    /// HMAC-SHA-256 of a message, 32 bytes.
    ///
    /// # Errors
    /// As [`Keys::public_key`].
    pub async fn mac(self, key: &str, message: impl Into<Bytes>) -> Result<Bytes, ActorError> {
        self.bytes(CryptoOp::Mac { key: label(key)?, message: message.into() }).await
    }

    /// Whether a tag is what [`Keys::mac`] makes.
    ///
    /// # Errors
    /// As [`Keys::public_key`].
    pub async fn verify_mac(
        self,
        key: &str,
        message: impl Into<Bytes>,
        tag: impl Into<Bytes>,
    ) -> Result<bool, ActorError> {
        self.flag(CryptoOp::VerifyMac { key: label(key)?, message: message.into(), tag: tag.into() }).await
    }

    async fn bytes(self, op: CryptoOp) -> Result<Bytes, ActorError> {
        match operations::crypto(self.0.0, op).await? {
            HostReply::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected(&other)),
        }
    }

    async fn flag(self, op: CryptoOp) -> Result<bool, ActorError> {
        match operations::crypto(self.0.0, op).await? {
            HostReply::Flag(flag) => Ok(flag),
            other => Err(unexpected(&other)),
        }
    }
}
