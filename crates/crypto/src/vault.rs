//! Keys of actors: at rest as [`KeyRecord`]s, opened by the [`ActorVault`] of their actor, used through types that fit one algorithm each.

mod agreement;
mod error;
mod material;
mod operation;
mod owner;
mod record;
mod secret;
mod signing;

use std::num::NonZeroUsize;

use zeroize::Zeroizing;

pub use agreement::{AgreementKeys, AgreementPublicKey};
pub use error::{KeyRecordError, KeyUseError, VaultError};
pub use material::{KeyKind, KeyMaterial};
pub use operation::{KeyOperation, KeyOutcome, KeySlot, run_without_keys};
pub use owner::KeyOwner;
pub use record::KeyRecord;
pub use secret::SecretKeys;
pub use signing::{SigningKeys, verify_signature};

use crate::aead::DataKey;
use crate::kdf::{Random, SecretBytes, framed};
use crate::master::{MasterKey, MasterKeyId};
use material::Ring;
use record::Header;

/// Bytes that one operation with a key takes: it runs to its end without a pause, and 1 MiB takes some milliseconds. Larger data is
/// hashed before it is signed, and sealed in pieces.
pub const KEY_INPUT_BYTES_MAX: usize = 1 << 20;
/// Bytes of a context: it names what something is for, and does not carry data.
pub const KEY_CONTEXT_BYTES_MAX: usize = 4 << 10;
/// Versions of one key that are kept. Each is tried when a tag is checked, so that their number bounds that work.
pub const KEY_VERSIONS_MAX: usize = 16;

/// Makes and opens the key records of one actor. [`MasterKey::vault`] gives it.
///
/// A record opens only in the vault of the [owner](KeyOwner) that it was made for, under the name and as the [kind](KeyKind) that it was
/// made with: an upgrade of the actor's program changes nothing. Whoever can write to the store can still put back an older record of the same key: that is the store's to prevent.
#[derive(Debug)]
pub struct ActorVault {
    owner: KeyOwner,
    /// The owner as text: what records, sealed data and tags are bound to.
    bound: String,
    master: MasterKeyId,
    wrapping: DataKey,
}

impl ActorVault {
    pub(crate) fn new(master: &SecretBytes, id: MasterKeyId, owner: KeyOwner) -> Self {
        let bound = owner.to_string();
        let wrapping = DataKey::derive(master, "records of an actor", &[bound.as_bytes()]);
        Self { owner, bound, master: id, wrapping }
    }

    /// Whose keys these are.
    #[must_use]
    pub const fn owner(&self) -> &KeyOwner {
        &self.owner
    }

    /// The record of a new key, in its version 1.
    ///
    /// # Errors
    /// [`VaultError::Entropy`].
    pub fn create(
        &self,
        name: &str,
        material: KeyMaterial,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<KeyRecord, VaultError> {
        self.close(name, &Ring::new(material), &mut random)
    }

    /// The record with one more version, which is used from now on; older versions open and verify what they made. Nothing changes
    /// if the newest version is that very material.
    ///
    /// # Errors
    /// The record does not open, the material is for another use, or there are [`KEY_VERSIONS_MAX`] versions.
    pub fn rotate(
        &self,
        name: &str,
        record: &KeyRecord,
        material: KeyMaterial,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<KeyRecord, VaultError> {
        let mut ring = self.open(name, record, record.kind())?;
        ring.push(material)?;
        self.close(name, &ring, &mut random)
    }

    /// As [`Self::rotate`], but the oldest version goes when there are [`KEY_VERSIONS_MAX`]: for secrets that can be had again, because
    /// they were agreed upon or derived.
    ///
    /// # Errors
    /// The record does not open, or the material is for another use.
    pub fn supersede(
        &self,
        name: &str,
        record: &KeyRecord,
        material: KeyMaterial,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<KeyRecord, VaultError> {
        let mut ring = self.open(name, record, record.kind())?;
        ring.push_over(material)?;
        self.close(name, &ring, &mut random)
    }

    /// The record with only its newest versions. What older ones sealed is lost, and what they signed is no longer among the public keys.
    ///
    /// # Errors
    /// The record does not open.
    pub fn retire(
        &self,
        name: &str,
        record: &KeyRecord,
        keep: NonZeroUsize,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<KeyRecord, VaultError> {
        let mut ring = self.open(name, record, record.kind())?;
        ring.keep_newest(keep);
        self.close(name, &ring, &mut random)
    }

    /// The same keys in a record of this vault, after a change of the master key.
    ///
    /// # Errors
    /// The record does not open in `from`, or `from` belongs to another actor.
    pub fn take_over(
        &self,
        name: &str,
        record: &KeyRecord,
        from: &Self,
        mut random: impl FnMut(&mut [u8]),
    ) -> Result<KeyRecord, VaultError> {
        if self.owner != from.owner {
            return Err(VaultError::OtherActor);
        }
        self.close(name, &from.open(name, record, record.kind())?, &mut random)
    }

    /// The signing key in a record.
    ///
    /// # Errors
    /// The record holds another kind of key, or does not open.
    pub fn signing(&self, name: &str, record: &KeyRecord) -> Result<SigningKeys, VaultError> {
        self.open(name, record, KeyKind::Signing).map(SigningKeys::new)
    }

    /// The agreement key in a record.
    ///
    /// # Errors
    /// The record holds another kind of key, or does not open.
    pub fn agreement(&self, name: &str, record: &KeyRecord) -> Result<AgreementKeys, VaultError> {
        self.open(name, record, KeyKind::Agreement).map(AgreementKeys::new)
    }

    /// The secret key in a record.
    ///
    /// # Errors
    /// The record holds another kind of key, or does not open.
    pub fn secret(&self, name: &str, record: &KeyRecord) -> Result<SecretKeys, VaultError> {
        let ring = self.open(name, record, KeyKind::Secret)?;
        Ok(SecretKeys::new(ring, &self.bound, name))
    }

    fn close(&self, name: &str, ring: &Ring, random: Random<'_>) -> Result<KeyRecord, VaultError> {
        let header = Header::of(ring, self.master);
        let mut sealed = Vec::new();
        let associated = self.associated(&header, name);
        let plaintext = ring.to_bytes();
        self.wrapping.seal(&plaintext, &associated, random, &mut sealed).ok_or(VaultError::Entropy)?;
        Ok(KeyRecord { header, sealed })
    }

    fn open(&self, name: &str, record: &KeyRecord, expected: KeyKind) -> Result<Ring, VaultError> {
        let KeyRecord { header, sealed } = record;
        if header.kind != expected {
            return Err(VaultError::OtherKind { expected, found: header.kind });
        }
        if header.master != self.master {
            return Err(VaultError::OtherMaster { found: header.master, expected: self.master });
        }
        let plaintext = self.wrapping.open(sealed, &self.associated(header, name)).ok_or(VaultError::DoesNotOpen)?;
        Ring::from_bytes(header, &Zeroizing::new(plaintext)).ok_or(VaultError::DoesNotOpen)
    }

    fn associated(&self, header: &Header, name: &str) -> Vec<u8> {
        framed("key record", &[&header.to_bytes(), self.bound.as_bytes(), name.as_bytes()])
    }
}

impl MasterKey {
    /// What makes and opens the key records of an actor. Deriving it takes one or two microseconds.
    #[must_use]
    pub fn vault(&self, owner: impl Into<KeyOwner>) -> ActorVault {
        ActorVault::new(self.secret(), self.id(), owner.into())
    }
}

#[cfg(test)]
mod tests;
