use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use playhouse_crypto::{ActorVault, KeyKind, KeyMaterial, KeyRecord, KeySlot, MasterKeyId, VaultError};
use playhouse_store::{ActorInfo, BatchLimits, SealedKey, Store};

use super::claim::claim;
use super::error::KeyringError;
use super::masters::MasterKeys;
use super::reseal::{TRIES_MAX, owner_of};
use crate::random;

/// Keys of one actor that are read at a time.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 1 << 20 };

/// One key of an actor, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorKeys {
    /// What it is for, and the name that the actor gave it.
    pub slot: KeySlot,
    /// The versions that are kept; the last is in use.
    pub versions: RangeInclusive<u32>,
    /// The master key under which the record is sealed.
    pub master: MasterKeyId,
    /// The public halves of all versions, newest first; none for a secret key, which has no such half.
    pub public: Vec<(u32, [u8; 32])>,
}

impl MasterKeys {
    /// The keys of an actor with all their public halves, in order of their names in the store.
    ///
    /// # Errors
    /// A master key is missing, a key does not open, or the store failed.
    pub async fn actor_keys(&self, store: &dyn Store, actor: &ActorInfo) -> Result<Vec<ActorKeys>, KeyringError> {
        claim(store, self).await?;
        let owner = owner_of(actor);
        let own = actor.lease.actor;
        let (mut after, mut keys) = (String::new(), Vec::<SealedKey>::new());
        loop {
            let batch = store.sealed_keys((own, after), BATCH).await?;
            let count = keys.len();
            keys.extend(batch.into_iter().take_while(|key| key.actor == own));
            // The quota of the actor bounds how many there are.
            let Some(last) = keys.get(count..).and_then(<[_]>::last) else { break };
            after = last.name.clone();
        }
        let vault = self.vault(&owner);
        let shown = keys.into_iter().map(|key| {
            let found = KeyRecord::parse(&key.blob)?;
            let master = found.master();
            let slot = KeySlot::from_store_name(&key.name).ok_or(VaultError::DoesNotOpen)?;
            let record = self.current_record(&owner, slot.name.as_str(), found)?;
            let public = public(&vault, &slot, &record)?;
            Ok(ActorKeys { slot, versions: record.versions(), master, public })
        });
        shown.collect()
    }

    /// Gives a key one more version, which is used from now on; what older ones sealed and signed stays good. Answers the version.
    ///
    /// While the actor runs, this may be lost if the actor derives into a key of that name at the same moment.
    ///
    /// # Errors
    /// There is no such key, it is shared with a peer, it has as many versions as are kept, or the store failed.
    pub async fn rotate_key(&self, store: &dyn Store, actor: &ActorInfo, slot: &KeySlot) -> Result<u32, KeyringError> {
        let name = slot.name.as_str();
        let change = |vault: &ActorVault, record: &KeyRecord| {
            let material = KeyMaterial::generate(slot.kind, random::fill)?;
            vault.rotate(name, record, material, random::fill)
        };
        self.change_key(store, actor, slot, &change).await.map(|record| *record.versions().end())
    }

    /// Keeps only the newest versions of a key. What older ones sealed is lost. Answers the versions that are left.
    ///
    /// # Errors
    /// There is no such key, or the store failed.
    pub async fn retire_key(
        &self,
        store: &dyn Store,
        actor: &ActorInfo,
        slot: &KeySlot,
        keep: NonZeroUsize,
    ) -> Result<RangeInclusive<u32>, KeyringError> {
        let change =
            |vault: &ActorVault, record: &KeyRecord| vault.retire(slot.name.as_str(), record, keep, random::fill);
        self.change_key(store, actor, slot, &change).await.map(|record| record.versions())
    }

    async fn change_key(
        &self,
        store: &dyn Store,
        actor: &ActorInfo,
        slot: &KeySlot,
        change: &(dyn Fn(&ActorVault, &KeyRecord) -> Result<KeyRecord, VaultError> + Sync),
    ) -> Result<KeyRecord, KeyringError> {
        claim(store, self).await?;
        let (owner, name) = (owner_of(actor), slot.store_name());
        let (kind, label) = (slot.kind, slot.name.as_str());
        for _ in 0..TRIES_MAX {
            let found = store.sealed_key(actor.lease.actor, &name).await?;
            let old = found.ok_or_else(|| KeyringError::NoKey { kind, name: label.to_owned() })?;
            let record = self.current_record(&owner, label, KeyRecord::parse(&old)?)?;
            let changed = change(&self.vault(&owner), &record)?;
            let blob = changed.to_bytes().into();
            if store.reseal(SealedKey { actor: actor.lease.actor, name: name.clone(), blob }, old).await? {
                return Ok(changed);
            }
        }
        Err(KeyringError::Contended { kind, name: label.to_owned() })
    }
}

fn public(vault: &ActorVault, slot: &KeySlot, record: &KeyRecord) -> Result<Vec<(u32, [u8; 32])>, VaultError> {
    let name = slot.name.as_str();
    Ok(match slot.kind {
        KeyKind::Signing => {
            let keys = vault.signing(name, record)?.public_keys();
            keys.into_iter().map(|(version, key)| (version, *key.as_bytes())).collect()
        }
        KeyKind::Agreement => {
            let keys = vault.agreement(name, record)?.public_keys();
            keys.into_iter().map(|(version, key)| (version, *key.as_bytes())).collect()
        }
        _ => vault.secret(name, record).map(|_| Vec::new())?,
    })
}
