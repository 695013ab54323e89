use std::fmt;

use bytes::Bytes;
use futures_util::future::join_all;
use playhouse_crypto::{KeyOwner, KeyRecord};
use playhouse_store::{ActorInfo, ActorKey, BatchLimits, SealedKey, Store};

use super::claim::{NOTE, in_use};
use super::error::KeyringError;
use super::masters::{InUse, MasterKeys};

/// Records that are read and written at a time: some share one wait for the disk, and they take no more than a megabyte.
pub(super) const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 1 << 20 };
/// Damaged keys that are listed; more are counted. After a hundred, people restore a backup.
pub const RESEAL_DAMAGE_LISTED_MAX: usize = 100;
/// How often a record is tried that others change at the same time.
pub(super) const TRIES_MAX: usize = 8;

/// What sealing anew came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resealed {
    /// Records that are under the current master key now and were not before.
    pub resealed: u64,
    /// Records that were under it already.
    pub already: u64,
    /// Keys that could not be opened, the first [`RESEAL_DAMAGE_LISTED_MAX`].
    pub damage: Vec<DamagedKey>,
    /// Keys that could not be opened.
    pub damaged: u64,
}

impl Resealed {
    /// Whether former master keys are needed no more.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.damaged == 0
    }
}

/// A key that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedKey {
    /// Whose.
    pub actor: ActorKey,
    /// Its name in the store.
    pub name: String,
    /// What is wrong with it.
    pub cause: String,
}

impl fmt::Display for DamagedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {:?} of actor {}: {}", self.name, self.actor, self.cause)
    }
}

impl MasterKeys {
    /// Seals every key in a store under the current master key. When all are, the store is not in use with former ones any more.
    ///
    /// It can be ended at any moment, also by kill -9, and begun again: whoever has the former keys as well can use the store all the
    /// time, also while this goes on. Nodes that have only a former one must not run: they would go on sealing under it. Keys that do
    /// not open stay as they are, are listed, and the former master keys stay in use.
    ///
    /// # Errors
    /// A master key that is needed is missing, or the store failed.
    pub async fn reseal(&self, store: &dyn Store) -> Result<Resealed, KeyringError> {
        let mut pass = Pass::begin(self, store).await?;
        while pass.step(BATCH).await? {}
        pass.end().await
    }
}

/// Once through all records of a store.
pub(super) struct Pass<'a> {
    keys: &'a MasterKeys,
    store: &'a dyn Store,
    in_use: InUse,
    after: (ActorKey, String),
    /// The owner of the records that come next.
    owner: Option<(ActorKey, Option<KeyOwner>)>,
    done: Resealed,
}

impl<'a> Pass<'a> {
    pub(super) async fn begin(keys: &'a MasterKeys, store: &'a dyn Store) -> Result<Self, KeyringError> {
        let in_use = in_use(store, keys).await?;
        let after = (ActorKey::from_number(0), String::new());
        Ok(Self { keys, store, in_use, after, owner: None, done: Resealed::default() })
    }

    /// Some records more; false at the end.
    pub(super) async fn step(&mut self, batch: BatchLimits) -> Result<bool, KeyringError> {
        let records = self.store.sealed_keys(self.after.clone(), batch).await?;
        let Some(last) = records.last() else { return Ok(false) };
        self.after = (last.actor, last.name.clone());
        let mut pending = Vec::new();
        for key in records {
            if let Some(anew) = self.anew(&key).await? {
                // The receipts are awaited together: the records share one wait for the disk.
                pending.push((key.clone(), self.store.reseal(anew, key.blob)));
            }
        }
        let (keys, receipts): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
        for (key, done) in keys.into_iter().zip(join_all(receipts).await) {
            match done? {
                true => self.done.resealed += 1,
                false => self.again(key).await?,
            }
        }
        Ok(true)
    }

    /// A record that was changed in the meantime.
    async fn again(&mut self, mut key: SealedKey) -> Result<(), KeyringError> {
        for _ in 0..TRIES_MAX {
            let Some(blob) = self.store.sealed_key(key.actor, &key.name).await? else { return Ok(()) };
            key.blob = blob;
            let Some(anew) = self.anew(&key).await? else { return Ok(()) };
            if self.store.reseal(anew, key.blob.clone()).await? {
                self.done.resealed += 1;
                return Ok(());
            }
        }
        self.damage(&key, "it is being changed by others again and again");
        Ok(())
    }

    /// The record as it has to be; none if it is so already, or does not open.
    async fn anew(&mut self, key: &SealedKey) -> Result<Option<SealedKey>, KeyringError> {
        let Some(owner) = self.owner(key.actor).await? else {
            self.damage(key, "the store knows no such actor");
            return Ok(None);
        };
        match anew(self.keys, &owner, key) {
            Ok(Some(blob)) => return Ok(Some(SealedKey { actor: key.actor, name: key.name.clone(), blob })),
            Ok(None) => self.done.already += 1,
            Err(error) => self.damage(key, error),
        }
        Ok(None)
    }

    async fn owner(&mut self, actor: ActorKey) -> Result<Option<KeyOwner>, KeyringError> {
        if let Some((known, owner)) = &self.owner
            && *known == actor
        {
            return Ok(owner.clone());
        }
        let owner = self.store.actor(actor).await?.as_ref().map(owner_of);
        self.owner = Some((actor, owner.clone()));
        Ok(owner)
    }

    fn damage(&mut self, key: &SealedKey, cause: impl fmt::Display) {
        self.done.damaged += 1;
        if self.done.damage.len() < RESEAL_DAMAGE_LISTED_MAX {
            let (actor, name, cause) = (key.actor, key.name.clone(), cause.to_string());
            self.done.damage.push(DamagedKey { actor, name, cause });
        }
    }

    /// Takes note that only the current master key is in use, unless a record is still under another.
    pub(super) async fn end(self) -> Result<Resealed, KeyringError> {
        if self.done.is_complete() && !self.in_use.former.is_empty() {
            let only = InUse::only(self.in_use.current).to_bytes();
            self.store.set_note(NOTE, Some(self.in_use.to_bytes().into()), Some(only.into())).await?;
        }
        Ok(self.done)
    }
}

/// The bytes of a record under the current master key; none if they are that already.
fn anew(keys: &MasterKeys, owner: &KeyOwner, key: &SealedKey) -> Result<Option<Bytes>, KeyringError> {
    let slot = slot_name(&key.name);
    let record = KeyRecord::parse(&key.blob)?;
    let same = record.master() == keys.current();
    let record = keys.current_record(owner, slot, record)?;
    Ok((!same).then(|| record.to_bytes().into()))
}

/// The name that the actor gave to a key, of the name that the store has.
fn slot_name(store_name: &str) -> &str {
    store_name.split_once('/').map_or(store_name, |(_, name)| name)
}

/// Whose the keys of an actor in a store are.
pub(super) fn owner_of(actor: &ActorInfo) -> KeyOwner {
    let identity = &actor.identity;
    KeyOwner {
        realm: identity.realm,
        serial: actor.lease.serial,
        manufacturer: identity.manufacturer.clone(),
        type_name: identity.type_name.clone(),
    }
}
