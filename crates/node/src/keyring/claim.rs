use bytes::Bytes;
use playhouse_crypto::MasterKeyId;
use playhouse_store::{ActorKey, BatchLimits, Store, StoreError};
use tokio::runtime::Handle;

use super::error::KeyringError;
use super::masters::{InUse, MasterKeys};

/// The note in a store that says which master keys it is in use with. It has their ids only.
pub(super) const NOTE: &str = "master-keys";

/// Nodes that may change the note of one store at the same moment; more of them try again by being started again.
const TRIES_MAX: usize = 8;

/// Makes sure that these master keys open what is in the store, and takes note of a new current one. Once a key is sealed, the store is
/// refused to whoever lacks one of the keys that records may be sealed under. As long as nothing is sealed, any key is
/// taken.
pub(super) async fn claim(store: &dyn Store, keys: &MasterKeys) -> Result<(), KeyringError> {
    in_use(store, keys).await.map(drop)
}

/// As [`claim`], for callers that cannot await: on a thread of its own, because the caller's may be the one that drives the runtime.
pub(crate) fn claim_now(runtime: &Handle, store: &dyn Store, keys: &MasterKeys) -> Result<(), KeyringError> {
    let claimed = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(claim(store, keys))).join());
    claimed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// As [`claim`]; what the note says then.
pub(super) async fn in_use(store: &dyn Store, keys: &MasterKeys) -> Result<InUse, KeyringError> {
    for _ in 0..TRIES_MAX {
        let (note, found) = note(store).await?;
        let wanted = match wanted(found.as_ref(), keys) {
            // Nothing is sealed yet: whatever key it was, nobody needs it.
            Err(KeyringError::MasterKeyMissing { .. }) if is_empty(store).await? => InUse::only(keys.current()),
            wanted => wanted?,
        };
        if found.as_ref() == Some(&wanted) {
            return Ok(wanted);
        }
        match store.set_note(NOTE, note, Some(wanted.to_bytes().into())).await {
            Ok(()) => return Ok(wanted),
            Err(StoreError::NoteChanged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::NoteChanged { name: NOTE.to_owned() }.into())
}

impl MasterKeys {
    /// The public names of the master keys that a store is in use with, the current one first; none before the first node.
    ///
    /// # Errors
    /// The store fails, or what it says of them is damaged.
    pub async fn in_use(store: &dyn Store) -> Result<Vec<MasterKeyId>, KeyringError> {
        Ok(note(store).await?.1.iter().flat_map(InUse::all).collect())
    }

    /// Whether a store has keys that are sealed, so that it is lost with its master key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn are_needed(store: &dyn Store) -> Result<bool, KeyringError> {
        Ok(!is_empty(store).await?)
    }
}

/// Makes sure that a store is still in use with the key that is about to seal its first record: as long as nothing was sealed, another node may have come
/// with another key.
pub(super) async fn still(store: &dyn Store, keys: &MasterKeys) -> Result<(), KeyringError> {
    match note(store).await?.1 {
        Some(found) if found.all().all(|id| id != keys.current()) => {
            Err(KeyringError::MasterKeyMissing { missing: found.current, given: keys.names() })
        }
        _ => Ok(()),
    }
}

/// The note as it stands in the store, and what it says.
async fn note(store: &dyn Store) -> Result<(Option<Bytes>, Option<InUse>), KeyringError> {
    let note = store.note(NOTE).await?;
    let found = note.as_ref().map(|note| InUse::parse(note).ok_or(KeyringError::Note { name: NOTE })).transpose()?;
    Ok((note, found))
}

async fn is_empty(store: &dyn Store) -> Result<bool, KeyringError> {
    let one = BatchLimits { items: 1, bytes: 0 };
    Ok(store.sealed_keys((ActorKey::from_number(0), String::new()), one).await?.is_empty())
}

fn wanted(found: Option<&InUse>, keys: &MasterKeys) -> Result<InUse, KeyringError> {
    let Some(found) = found else { return Ok(InUse::only(keys.current())) };
    if let Some(missing) = found.all().find(|id| !keys.has(*id)) {
        return Err(KeyringError::MasterKeyMissing { missing, given: keys.names() });
    }
    let former: Vec<_> = found.all().filter(|id| *id != keys.current()).collect();
    if former.len() > InUse::FORMER_MAX {
        return Err(KeyringError::TooManyMasterKeys { limit: InUse::FORMER_MAX });
    }
    Ok(InUse { current: keys.current(), former })
}
