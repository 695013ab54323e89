use playhouse_types::{ActorError, Code, CryptoOp, ErrorKind, HashAlgorithm, HostReply, KeyPurpose, Label};

use super::{
    ActorVault, AgreementPublicKey, KeyKind, KeyMaterial, KeyRecord, KeyUseError, Random, SecretKeys, SigningKeys,
    verify_signature,
};
use crate::plain::{hash_sha256, hash_sha512};

/// Where a key record of an actor is kept. One name is one key per kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeySlot {
    /// What the key is for.
    pub kind: KeyKind,
    /// The name that the actor gave it.
    pub name: Label,
}

impl KeySlot {
    fn new(kind: KeyKind, name: &Label) -> Self {
        Self { kind, name: name.clone() }
    }

    /// The name under which a store keeps the record: the kind, a slash and the name, at most 138 bytes. It never changes.
    #[must_use]
    pub fn store_name(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// The slot that a store keeps under that name; none if no slot has it.
    #[must_use]
    pub fn from_store_name(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        let kind = KeyKind::ALL.into_iter().find(|known| known.name() == kind)?;
        Some(Self { kind, name: name.parse().ok()? })
    }

    /// The slots that [`KeyOperation::run`] reads for an operation; none for one that uses no key.
    #[must_use]
    pub fn of(op: &CryptoOp) -> Vec<Self> {
        match op {
            CryptoOp::PublicKey { key, purpose: KeyPurpose::Sign } | CryptoOp::Sign { key, .. } => {
                vec![Self::new(KeyKind::Signing, key)]
            }
            CryptoOp::PublicKey { key, purpose: KeyPurpose::Agree } => vec![Self::new(KeyKind::Agreement, key)],
            CryptoOp::Seal { key, .. }
            | CryptoOp::Open { key, .. }
            | CryptoOp::Mac { key, .. }
            | CryptoOp::VerifyMac { key, .. } => vec![Self::new(KeyKind::Secret, key)],
            CryptoOp::Agree { key, into, .. } => {
                vec![Self::new(KeyKind::Agreement, key), Self::new(KeyKind::Secret, into)]
            }
            CryptoOp::Derive { key, into, .. } => {
                vec![Self::new(KeyKind::Secret, key), Self::new(KeyKind::Secret, into)]
            }
            CryptoOp::Verify { .. } | CryptoOp::Hash { .. } => Vec::new(),
        }
    }
}

/// Carries out an operation that uses no key: there need not be a store, nor a master key.
///
/// # Errors
/// As the operation says; or the operation uses keys.
pub fn run_without_keys(op: &CryptoOp) -> Result<HostReply, ActorError> {
    Ok(match op {
        CryptoOp::Verify { public_key, message, signature } => {
            HostReply::Flag(verify_signature(public_key, message, signature)?)
        }
        CryptoOp::Hash { algorithm: HashAlgorithm::Sha256, data } => bytes(hash_sha256(data)?.as_bytes().to_vec()),
        CryptoOp::Hash { algorithm: HashAlgorithm::Sha512, data } => bytes(hash_sha512(data)?.to_vec()),
        with_keys => {
            let text = format!("{with_keys:?} uses keys");
            return Err(ActorError::coded(ErrorKind::Internal, Code::KeyKind, text));
        }
    })
}

/// Carries out one [`CryptoOp`] of an actor. Keys are made on their first use; opening and checking make none.
pub struct KeyOperation<'a> {
    /// The vault of the actor that asks.
    pub vault: &'a ActorVault,
    /// The record in a slot, if there is one: of those that [`KeySlot::of`] names.
    pub record: &'a dyn Fn(&KeySlot) -> Option<KeyRecord>,
    /// A source of secure randomness, which fills the bytes that it is given.
    pub random: Random<'a>,
}

/// What an operation came to.
#[derive(Debug)]
pub struct KeyOutcome {
    /// The answer for the actor.
    pub reply: HostReply,
    /// Records that are new or have a new version, each slot once. They must be stored before the answer counts.
    pub written: Vec<(KeySlot, KeyRecord)>,
}

impl KeyOperation<'_> {
    /// Carries out `op`.
    ///
    /// # Errors
    /// As the operation of the key says. Nothing is to be stored then.
    pub fn run(self, op: &CryptoOp) -> Result<KeyOutcome, ActorError> {
        let mut run = Run { operation: self, written: Vec::new() };
        let reply = run.reply(op)?;
        Ok(KeyOutcome { reply, written: run.written })
    }
}

struct Run<'a> {
    operation: KeyOperation<'a>,
    written: Vec<(KeySlot, KeyRecord)>,
}

impl Run<'_> {
    fn reply(&mut self, op: &CryptoOp) -> Result<HostReply, ActorError> {
        Ok(match op {
            CryptoOp::PublicKey { key, purpose: KeyPurpose::Sign } => {
                bytes(self.signing(key)?.public_key().as_bytes().to_vec())
            }
            CryptoOp::PublicKey { key, purpose: KeyPurpose::Agree } => {
                let record = self.record_or_new(&KeySlot::new(KeyKind::Agreement, key))?;
                let keys = self.operation.vault.agreement(key.as_str(), &record)?;
                bytes(keys.public_key().as_bytes().to_vec())
            }
            CryptoOp::Sign { key, message } => bytes(self.signing(key)?.sign(message)?.as_bytes().to_vec()),
            CryptoOp::Seal { key, plaintext, context } => {
                let keys = self.secret_or_new(key)?;
                bytes(keys.seal(plaintext, context, &mut self.operation.random)?)
            }
            CryptoOp::Open { key, ciphertext, context } => {
                let keys = self.secret(key)?.ok_or(KeyUseError::OtherKey)?;
                bytes(keys.open(ciphertext, context)?)
            }
            CryptoOp::Agree { key, peer, context, into } => {
                let record = self.record_or_new(&KeySlot::new(KeyKind::Agreement, key))?;
                let keys = self.operation.vault.agreement(key.as_str(), &record)?;
                let material = keys.agree(&AgreementPublicKey::from_slice(peer)?, context)?;
                self.keep(into, material)?
            }
            CryptoOp::Derive { key, context, into } => {
                let material = self.secret_or_new(key)?.derive(context)?;
                self.keep(into, material)?
            }
            CryptoOp::Verify { .. } | CryptoOp::Hash { .. } => return run_without_keys(op),
            CryptoOp::Mac { key, message } => bytes(self.secret_or_new(key)?.mac(message)?.to_vec()),
            CryptoOp::VerifyMac { key, message, tag } => match self.secret(key)? {
                Some(keys) => HostReply::Flag(keys.verify_mac(message, tag)?),
                None => HostReply::Flag(false),
            },
        })
    }

    fn signing(&mut self, key: &Label) -> Result<SigningKeys, ActorError> {
        let record = self.record_or_new(&KeySlot::new(KeyKind::Signing, key))?;
        Ok(self.operation.vault.signing(key.as_str(), &record)?)
    }

    fn secret_or_new(&mut self, key: &Label) -> Result<SecretKeys, ActorError> {
        let record = self.record_or_new(&KeySlot::new(KeyKind::Secret, key))?;
        Ok(self.operation.vault.secret(key.as_str(), &record)?)
    }

    fn secret(&self, key: &Label) -> Result<Option<SecretKeys>, ActorError> {
        let record = self.record(&KeySlot::new(KeyKind::Secret, key));
        Ok(record.map(|record| self.operation.vault.secret(key.as_str(), &record)).transpose()?)
    }

    /// Puts a secret that was agreed upon or derived under its name; a further version if there is another one,
    /// in place of the oldest if there are as many as are kept: an actor cannot retire them, and can have these again.
    fn keep(&mut self, into: &Label, material: KeyMaterial) -> Result<HostReply, ActorError> {
        let slot = KeySlot::new(KeyKind::Secret, into);
        let existing = self.record(&slot);
        let KeyOperation { vault, random, .. } = &mut self.operation;
        let record = match &existing {
            Some(record) => vault.supersede(into.as_str(), record, material, random)?,
            None => vault.create(into.as_str(), material, random)?,
        };
        let unchanged = existing.is_some_and(|existing| existing.versions() == record.versions());
        if !unchanged {
            self.put(slot, record);
        }
        Ok(HostReply::Done)
    }

    /// The record in a slot, as this operation left it.
    fn record(&self, slot: &KeySlot) -> Option<KeyRecord> {
        let written = self.written.iter().find(|(written, _)| written == slot).map(|(_, record)| record.clone());
        written.or_else(|| (self.operation.record)(slot))
    }

    fn record_or_new(&mut self, slot: &KeySlot) -> Result<KeyRecord, ActorError> {
        if let Some(record) = self.record(slot) {
            return Ok(record);
        }
        let KeyOperation { vault, random, .. } = &mut self.operation;
        let material = KeyMaterial::generate(slot.kind, &mut *random)?;
        let record = vault.create(slot.name.as_str(), material, random)?;
        self.put(slot.clone(), record.clone());
        Ok(record)
    }

    fn put(&mut self, slot: KeySlot, record: KeyRecord) {
        self.written.retain(|(written, _)| *written != slot);
        self.written.push((slot, record));
    }
}

fn bytes(bytes: Vec<u8>) -> HostReply {
    HostReply::Bytes(bytes.into())
}

#[cfg(test)]
mod tests;
