//! Keys of actors, without what is secret of them.

use std::future::Future;

use playhouse_crypto::{KeyKind, KeySlot};
use playhouse_node::{ActorKeys, KeyringError, MasterKeys};
use playhouse_store::{ActorInfo, Store};
use playhouse_types::{ActorError, Code, ErrorKind};
use serde::{Deserialize, Serialize};

use super::select::select;
use crate::control::protocol::WireError;
use crate::encoding::Encoding;

/// One key of an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyInfo {
    pub(crate) actor: String,
    /// The name that the actor gave it.
    pub(crate) name: String,
    /// `signing`, `agreement` or `secret`.
    pub(crate) kind: String,
    /// The version in use; older ones still open and verify.
    pub(crate) version: u32,
    /// The oldest version that is kept.
    pub(crate) oldest: u32,
    /// The master key under which it is sealed.
    pub(crate) master: String,
    /// The public halves, the newest first; none of a secret key.
    pub(crate) public: Vec<PublicVersion>,
}

/// The public half of one version of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicVersion {
    pub(crate) version: u32,
    /// In base64.
    pub(crate) public_key: String,
}

/// The keys of the actor that a word means.
pub(crate) fn list(store: &dyn Store, masters: &MasterKeys, actor: &str) -> Result<Vec<KeyInfo>, WireError> {
    let actor = select(store, actor)?;
    let keys = wait(masters.actor_keys(store, &actor))?;
    Ok(keys.iter().map(|keys| info(&actor, keys)).collect())
}

/// Gives a key of an actor a new version. `key` is its name, or its kind and name.
pub(crate) fn rotate(store: &dyn Store, masters: &MasterKeys, actor: &str, key: &str) -> Result<KeyInfo, WireError> {
    let actor = select(store, actor)?;
    let slot = find(&wait(masters.actor_keys(store, &actor))?, key)?;
    wait(masters.rotate_key(store, &actor, &slot))?;
    let keys = wait(masters.actor_keys(store, &actor))?;
    keys.iter().find(|keys| keys.slot == slot).map(|keys| info(&actor, keys)).ok_or_else(|| unknown(key))
}

/// Waits on this thread, which may be one for blocking of a runtime.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, KeyringError>>) -> Result<T, WireError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| ActorError::new(ErrorKind::Internal, format!("cannot wait: {error}")))?;
    Ok(runtime.block_on(work).map_err(ActorError::from)?)
}

fn info(actor: &ActorInfo, keys: &ActorKeys) -> KeyInfo {
    let public = |(version, bytes): &(u32, [u8; 32])| PublicVersion {
        version: *version,
        public_key: Encoding::Base64.encode(bytes),
    };
    KeyInfo {
        actor: actor.identity.to_string(),
        name: keys.slot.name.to_string(),
        kind: keys.slot.kind.name().to_owned(),
        version: *keys.versions.end(),
        oldest: *keys.versions.start(),
        master: keys.master.to_string(),
        public: keys.public.iter().map(public).collect(),
    }
}

fn find(keys: &[ActorKeys], word: &str) -> Result<KeySlot, WireError> {
    let fits = |slot: &KeySlot| slot.name.as_str() == word || slot.store_name() == word;
    let fitting: Vec<&KeySlot> = keys.iter().map(|keys| &keys.slot).filter(|slot| fits(slot)).collect();
    match fitting[..] {
        [only] => Ok(only.clone()),
        [] => Err(unknown(word)),
        _ => {
            let kinds: Vec<&str> = fitting.iter().map(|slot| KeyKind::name(slot.kind)).collect();
            let text = format!("the actor has keys of the name {word:?} of several kinds: {}", kinds.join(", "));
            let fix = Some(format!("Name the kind too: {}.", fitting[0].store_name()));
            Err(WireError { fix, ..ActorError::coded(ErrorKind::InvalidArgument, Code::Usage, text).into() })
        }
    }
}

fn unknown(key: &str) -> WireError {
    let text = format!("the actor has no key {key:?}");
    let fix = Some("`playhouse key export-public ACTOR` lists its keys.".to_owned());
    WireError { fix, ..ActorError::coded(ErrorKind::NotFound, Code::NotStored, text).into() }
}
