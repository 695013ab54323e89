use std::fmt;

use playhouse_crypto::{ActorVault, KeyOwner, KeyRecord, MasterKey, MasterKeyId, VaultError};

use crate::random;

/// The master keys of a node: the one under which it seals, and former ones, under which records of its store may still be.
#[derive(Debug)]
pub struct MasterKeys {
    current: MasterKey,
    former: Vec<MasterKey>,
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self { current, former: Vec::new() }
    }
}

impl MasterKeys {
    /// A key under which records may still be: what they hold can be used, and [`reseal`](Self::reseal) seals them under the
    /// current one.
    #[must_use]
    pub fn with_former(mut self, key: MasterKey) -> Self {
        self.former.push(key);
        self
    }

    /// The public name of the key under which is sealed.
    #[must_use]
    pub const fn current(&self) -> MasterKeyId {
        self.current.id()
    }

    pub(super) fn has(&self, id: MasterKeyId) -> bool {
        self.find(id).is_some()
    }

    /// The names of all, for people.
    pub(super) fn names(&self) -> String {
        let names = [&self.current].into_iter().chain(&self.former).map(|key| key.id().to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    fn find(&self, id: MasterKeyId) -> Option<&MasterKey> {
        [&self.current].into_iter().chain(&self.former).find(|key| key.id() == id)
    }

    pub(super) fn vault(&self, owner: &KeyOwner) -> ActorVault {
        self.current.vault(owner.clone())
    }

    /// The record under the current key. One that is under a key that is not here stays as it is, and does not open.
    pub(super) fn current_record(
        &self,
        owner: &KeyOwner,
        name: &str,
        record: KeyRecord,
    ) -> Result<KeyRecord, VaultError> {
        if record.master() == self.current() {
            return Ok(record);
        }
        let (found, expected) = (record.master(), self.current());
        let former = self.find(found).ok_or(VaultError::OtherMaster { found, expected })?;
        self.vault(owner).take_over(name, &record, &former.vault(owner.clone()), random::fill)
    }
}

/// The master keys that a store is in use with, as its note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InUse {
    /// Under which records are sealed.
    pub(super) current: MasterKeyId,
    /// Under which records may still be.
    pub(super) former: Vec<MasterKeyId>,
}

impl InUse {
    /// Changes of the master key that may be under way at once. Each is ended by sealing everything anew.
    pub(super) const FORMER_MAX: usize = 16;
    const FORMAT: u8 = 1;
    const ID_BYTES: usize = 8;

    pub(super) const fn only(current: MasterKeyId) -> Self {
        Self { current, former: Vec::new() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = MasterKeyId> {
        [self.current].into_iter().chain(self.former.iter().copied())
    }

    /// The format, 1, and the ids, the current one first.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![Self::FORMAT];
        self.all().for_each(|id| bytes.extend_from_slice(id.as_bytes()));
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&Self::FORMAT, ids) = bytes.split_first()? else { return None };
        let (ids, rest) = ids.as_chunks::<{ Self::ID_BYTES }>();
        let (current, former) = ids.split_first()?;
        if !rest.is_empty() || former.len() > Self::FORMER_MAX {
            return None;
        }
        let former = former.iter().map(|id| MasterKeyId::from_bytes(*id)).collect();
        Some(Self { current: MasterKeyId::from_bytes(*current), former })
    }
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.all().map(|id| id.to_string()).collect();
        f.write_str(&names.join(", "))
    }
}
