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
use crate::time;

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

/// Whose actors may be changed.
#[derive(Debug)]
pub(crate) enum Right {
    /// Everybody's: nobody else can have the store open, whatever a node that died left behind.
    Sole,
    /// Those of the node of that name, which does not run, and those that nobody has.
    Of(String),
    /// Those that nobody has.
    None,
}

/// Who changes things, as the store names it.
const OWNER: &str = "playhouse state";

impl Editor {
    /// Takes the actor that a word means; one that is not there is made if the word is its whole name.
    pub(crate) fn open(store: Arc<dyn Store>, right: Right, word: &str) -> Result<Self> {
        let (identity, owner) = match (select(&*store, word), parse_identity(word)) {
            (Ok(actor), _) => (actor.identity, actor.owner),
            (Err(_), Some(identity)) => (identity, OWNER.to_owned()),
            (Err(unknown), None) => return Err(unknown.into()),
        };
        let owner = match right {
            Right::Sole => owner,
            Right::Of(owner) => owner,
            Right::None => OWNER.to_owned(),
        };
        let open = OpenActor { identity: identity.clone(), owner, now: now(), lease_for: LEASE };
        let lease = store.open_actor(open).wait().map_err(|error| failed_for(&identity, error))?;
        Ok(Self { store, identity, lease })
    }

    /// The actor's name.
    pub(crate) fn name(&self) -> String {
        self.identity.to_string()
    }

    /// Keys that the actor has.
    pub(crate) fn key_count(&self) -> u64 {
        self.lease.usage.state_keys
    }

    /// Whether the actor has that key.
    pub(crate) fn has(&self, key: &[u8]) -> Result<bool> {
        Ok(self.store.state(self.actor(), key).wait().map_err(failed)?.is_some())
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
    ActorError::from(error).into()
}

/// An actor could not be opened.
pub(crate) fn failed_for(actor: &impl std::fmt::Display, error: StoreError) -> CliError {
    let StoreError::OwnedElsewhere { owner, until } = error else { return failed(error) };
    let until = time::utc(until.millis() / 1000);
    let message = format!("{actor} belongs to node {owner} until {until}, or longer if that node runs");
    CliError::new(Code::ActorOwned, ErrorKind::Unavailable, message).fix(
        "Stop the actor on that node; if that node is no more, try again when the time is over. Another `instance` in the configuration is \
         another actor.",
    )
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
