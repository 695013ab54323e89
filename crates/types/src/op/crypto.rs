//! Cryptography with keys that a workload can use but never see. A key is made on its first use, belongs to one actor, and serves
//! one purpose.

use bytes::Bytes;

use crate::label::Label;

/// What a workload asks of its keys. Every key is named by the workload; one name means one key per purpose.
#[derive(Clone)]
pub enum CryptoOp {
    /// The public half of a signing or an agreement key. Answered by [`crate::HostReply::Bytes`].
    PublicKey {
        /// Which key.
        key: Label,
        /// What the key is for.
        purpose: KeyPurpose,
    },
    /// An Ed25519 signature of 64 bytes. Answered by [`crate::HostReply::Bytes`].
    Sign {
        /// Which key.
        key: Label,
        /// What is signed.
        message: Bytes,
    },
    /// Whether an Ed25519 signature is right. Answered by [`crate::HostReply::Flag`].
    Verify {
        /// The public key, 32 bytes.
        public_key: Bytes,
        /// What was signed.
        message: Bytes,
        /// The signature, 64 bytes.
        signature: Bytes,
    },
    /// Encrypts so that only this actor can decrypt, and only with the same context. Answered by [`crate::HostReply::Bytes`].
    Seal {
        /// Which key.
        key: Label,
        /// What is encrypted.
        plaintext: Bytes,
        /// What the ciphertext belongs to; not contained in it.
        context: Bytes,
    },
    /// Decrypts what [`CryptoOp::Seal`] made. Answered by [`crate::HostReply::Bytes`].
    Open {
        /// Which key.
        key: Label,
        /// What is decrypted.
        ciphertext: Bytes,
        /// As it was when the ciphertext was made.
        context: Bytes,
    },
    /// Makes a secret that a peer makes too (X25519, then HKDF), and keeps it under a name. Answered by [`crate::HostReply::Done`].
    Agree {
        /// Our agreement key.
        key: Label,
        /// The peer's public agreement key, 32 bytes.
        peer: Bytes,
        /// What the secret is for; the same on both sides.
        context: Bytes,
        /// The name of the new key, for [`CryptoOp::Seal`], [`CryptoOp::Mac`] and [`CryptoOp::Derive`].
        into: Label,
    },
    /// Makes a key out of another (HKDF). Answered by [`crate::HostReply::Done`].
    Derive {
        /// The key that is there.
        key: Label,
        /// What the new key is for.
        context: Bytes,
        /// Its name.
        into: Label,
    },
    /// A digest. Answered by [`crate::HostReply::Bytes`].
    Hash {
        /// Which algorithm.
        algorithm: HashAlgorithm,
        /// What is hashed.
        data: Bytes,
    },
    /// HMAC-SHA-256 of a message, 32 bytes. Answered by [`crate::HostReply::Bytes`].
    Mac {
        /// Which key.
        key: Label,
        /// The message.
        message: Bytes,
    },
    /// Whether a tag is what [`CryptoOp::Mac`] makes, in constant time. Answered by [`crate::HostReply::Flag`].
    VerifyMac {
        /// Which key.
        key: Label,
        /// The message.
        message: Bytes,
        /// The tag.
        tag: Bytes,
    },
}

/// How a digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
}

/// What a key with a public half is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signatures (Ed25519).
    Sign,
    /// Key agreement (X25519).
    Agree,
}

impl std::fmt::Debug for CryptoOp {
    /// The name of the operation only: plaintexts are nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PublicKey { .. } => "PublicKey",
            Self::Sign { .. } => "Sign",
            Self::Verify { .. } => "Verify",
            Self::Seal { .. } => "Seal",
            Self::Open { .. } => "Open",
            Self::Agree { .. } => "Agree",
            Self::Derive { .. } => "Derive",
            Self::Hash { .. } => "Hash",
            Self::Mac { .. } => "Mac",
            Self::VerifyMac { .. } => "VerifyMac",
        })
    }
}
