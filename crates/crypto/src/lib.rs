//! Keys, signatures, digests and sealing: the only crate of Playhouse that uses cipher crates.
//!
//! Private keys never leave it: a [`SigningKey`] signs, is wiped from memory when dropped, and leaves only
//! [sealed](SealedKey) or, when a caller asks for it by name, as the plain key file of actr 0.3.
//!
//! Keys of actors live in [`KeyRecord`]s, which open only in the [`ActorVault`] of their actor under the [`MasterKey`] of their node,
//! and are used through [`SigningKeys`], [`AgreementKeys`] and [`SecretKeys`]: operations, never bytes.
//!
//! The crate does no I/O, knows no clock and has no source of randomness: seeds, salts and nonces are arguments.
//! It is not a general toolbox; it has what packages, credentials, key files and the keys of actors need and nothing else.
//!
//! ```
//! use playhouse_crypto::SigningKey;
//!
//! let key = SigningKey::from_seed(&[7; 32]);
//! let signature = key.sign(b"manifest");
//! assert!(key.verifying_key().verify(b"manifest", &signature).is_ok());
//! assert!(key.verifying_key().verify(b"altered", &signature).is_err());
//! assert_eq!(key.key_id().to_string().len(), 20);
//! ```

mod aead;
mod compare;
mod digest;
mod kdf;
mod key_file;
mod key_id;
mod master;
mod plain;
mod sealed;
mod secret;
mod sign;
#[cfg(test)]
mod testing;
mod vault;

pub use compare::equal_constant_time;
pub use digest::{Digest, DigestParseError, Hasher};
pub use key_file::{KeyFile, KeyFileError};
pub use key_id::{KeyId, KeyIdParseError};
pub use master::{MasterKey, MasterKeyFile, MasterKeyId, SealedMasterKey};
pub use plain::{HASH_INPUT_BYTES_MAX, hash_sha256, hash_sha512, random_bytes};
pub use sealed::SealedKey;
pub use secret::{KdfCost, Secret};
pub use sign::{PublicKeyError, Signature, SignatureError, SigningKey, VerifyingKey};
pub use vault::{
    ActorVault, AgreementKeys, AgreementPublicKey, KEY_CONTEXT_BYTES_MAX, KEY_INPUT_BYTES_MAX, KEY_VERSIONS_MAX,
    KeyKind, KeyMaterial, KeyOperation, KeyOutcome, KeyOwner, KeyRecord, KeyRecordError, KeySlot, KeyUseError,
    SecretKeys, SigningKeys, VaultError, run_without_keys, verify_signature,
};
