use std::sync::Arc;

use bytes::Bytes;
use playhouse_store::{
    ActorKey, BatchLimits, Commit, Expect, Identity, KeyRange, Lease, OpenActor, Quota, StateChange, Store, StoreError,
    commit,
};
use playhouse_types::{ActorError, Code, ErrorKind, Realm};

use super::access::LEASE;
use super::inspect::now;
use super::select::select;
use crate::error::{CliError, Result};

/// One change of an actor's state; no value deletes the key.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
}

/// Whoever changes an actor's state while no node runs it.
pub(crate) struct Editor {
    store: Arc<dyn Store>,
    identity: Identity,
    lease: Lease,
}

/// Who changes things, as the store names it.
const OWNER: &str = "playhouse state";

impl Editor {
    /// Takes the actor that a word means; one that is not there is made if the word is its whole name.
    pub(crate) fn open(store: Arc<dyn Store>, word: &str) -> Result<Self> {
        let (identity, owner) = match (select(&*store, word), parse_identity(word)) {
            (Ok(actor), _) => (actor.identity, actor.owner),
            (Err(_), Some(identity)) => (identity, OWNER.to_owned()),
            (Err(unknown), None) => return Err(unknown.into()),
        };
        // A folder that this process has locked has no other owner, whatever a node that died left behind. Of a server that is not known.
        let owner = if store.strongest() == playhouse_store::Durability::Fsync { owner } else { OWNER.to_owned() };
        let open = OpenActor { identity: identity.clone(), owner, now: now(), lease_for: LEASE };
        let lease = store.open_actor(open).wait().map_err(failed)?;
        Ok(Self { store, identity, lease })
    }

    /// Keys that the actor has.
    pub(crate) fn key_count(&self) -> u64 {
        self.lease.usage.state_keys
    }

    /// The keys behind `after`, some of them.
    pub(crate) fn keys(&self, after: Option<Bytes>) -> Result<Vec<Bytes>> {
        let range = after.map_or(KeyRange::all(), |after| KeyRange::all().after(after));
        let page = self.store.scan(self.actor(), range, BatchLimits { items: 1000, bytes: 1 << 20 }).wait();
        Ok(page.map_err(failed)?.into_iter().map(|(key, _)| key).collect())
    }

    /// Writes all of the changes or none.
    pub(crate) fn write(&mut self, changes: Vec<Change>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let durability = self.store.strongest();
        let revision = self.lease.revision.next();
        let mut whole = Commit::new(self.actor(), self.lease.epoch, revision, now(), durability);
        whole.quota = Quota { state_keys: u64::MAX, state_bytes: u64::MAX, ..Quota::default() };
        let change = |Change { key, value }| StateChange { key, expect: Expect::Any, value };
        whole.state = changes.into_iter().map(change).collect();
        self.lease.usage = commit(&*self.store, whole).wait().map_err(failed)?.usage;
        self.lease.revision = revision;
        Ok(())
    }

    /// Lets go of the actor. Answers its name.
    pub(crate) fn close(self) -> Result<String> {
        self.store.release(self.actor(), self.lease.epoch).wait().map_err(failed)?;
        Ok(self.identity.to_string())
    }

    fn actor(&self) -> ActorKey {
        self.lease.actor
    }
}

/// A store's error as the user sees it.
pub(crate) fn failed(error: StoreError) -> CliError {
    let owned = matches!(error, StoreError::OwnedElsewhere { .. });
    let failed = CliError::from(ActorError::from(error));
    if owned { failed.fix("A node runs the actor: stop that node, or wait until its lease ends.") } else { failed }
}

/// The identity with that whole name: `realm/manufacturer:name/instance`.
pub(crate) fn parse_identity(text: &str) -> Option<Identity> {
    let (realm, rest) = text.split_once('/')?;
    let (kind, instance) = rest.split_once('/')?;
    let (manufacturer, type_name) = kind.split_once(':')?;
    let realm = Realm::new(realm.parse().ok()?);
    let (manufacturer, type_name) = (manufacturer.parse().ok()?, type_name.parse().ok()?);
    let fits = (1..=playhouse_store::limits::INSTANCE_BYTES_MAX).contains(&instance.len());
    fits.then(|| Identity { realm, manufacturer, type_name, instance: instance.to_owned() })
}

/// The state that is there would be mixed with what is read.
pub(crate) fn not_empty(actor: &str, keys: u64) -> CliError {
    let message = format!("{actor} keeps {keys} keys already");
    CliError::new(Code::StateConflict, ErrorKind::InvalidArgument, message)
        .fix("`--replace` deletes those that are not in the file, `--merge` keeps them.")
}

#[cfg(test)]
mod tests {
    use super::parse_identity;

    #[test]
    fn whole_names_are_read() {
        for name in ["0/acme:Counter/main", "7/a:B/x/y"] {
            assert_eq!(parse_identity(name).unwrap().to_string(), name);
        }
        for name in
            ["acme:Counter", "0/acme:Counter", "0/acme:Counter/", "x/acme:Counter/main", "0/acme/main", "0/:B/x"]
        {
            assert!(parse_identity(name).is_none(), "{name}");
        }
    }
}
