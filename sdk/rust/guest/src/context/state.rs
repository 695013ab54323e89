use std::fmt;

use bytes::Bytes;
use playhouse_types::{ActorError, ErrorKind, HostReply, StateChange, StateEntry, StateKey, StateOp, StateVersion};

use super::{Context, operations, unexpected};

/// The private state of the actor: keys of 1 to 512 bytes and values of up to 8 MiB, ordered by key. A handler reads what it has
/// written itself. What it wrote is committed with the message that it handles, or dropped if it fails; its caller hears of success
/// only when that has happened. Needs the grant `state`.
#[derive(Clone, Copy)]
pub struct State<'a>(pub(super) Context<'a>);

impl fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

/// Values that a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The values, in the order of their keys.
    pub entries: Vec<StateEntry>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

impl State<'_> {
    /// The value of a key.
    ///
    /// # Errors
    /// If the key is no key, the grant is missing, or the store fails.
    pub async fn get(self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>, ActorError> {
        Ok(self.entry(key).await?.map(|entry| entry.value))
    }

    /// The value of a key with its version.
    ///
    /// # Errors
    /// As [`State::get`].
    pub async fn entry(self, key: impl AsRef<[u8]>) -> Result<Option<StateEntry>, ActorError> {
        match self.perform(StateOp::Get { key: state_key(key)? }).await? {
            HostReply::Entry(entry) => Ok(entry),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets a value.
    ///
    /// # Errors
    /// As [`State::get`], and if the actor would keep more than its quota.
    pub async fn set(self, key: impl AsRef<[u8]>, value: impl Into<Bytes>) -> Result<(), ActorError> {
        self.write(vec![StateChange { key: state_key(key)?, value: Some(value.into()) }]).await
    }

    /// Takes a value away; not an error if there is none.
    ///
    /// # Errors
    /// As [`State::get`].
    pub async fn delete(self, key: impl AsRef<[u8]>) -> Result<(), ActorError> {
        self.write(vec![StateChange { key: state_key(key)?, value: None }]).await
    }

    /// Makes all of these writes, in order.
    ///
    /// # Errors
    /// As [`State::set`]; then none of them is made.
    pub async fn write(self, changes: Vec<StateChange>) -> Result<(), ActorError> {
        self.perform(StateOp::Write { changes }).await.map(|_| ())
    }

    /// Writes a value, or takes it away, if the key's value is still of that version (of none, if there was no value). Whether it was.
    ///
    /// # Errors
    /// As [`State::set`].
    pub async fn compare_and_set(
        self,
        key: impl AsRef<[u8]>,
        expected: Option<StateVersion>,
        value: Option<Bytes>,
    ) -> Result<bool, ActorError> {
        let change = StateChange { key: state_key(key)?, value };
        match self.perform(StateOp::CompareAndSet { expected, change }).await? {
            HostReply::Flag(done) => Ok(done),
            other => Err(unexpected(&other)),
        }
    }

    /// The values whose keys begin with `prefix` and come after `after`, in the order of their keys, at most `limit` of them; the
    /// host may end earlier. To go on, ask again from behind the last key.
    ///
    /// # Errors
    /// As [`State::get`].
    pub async fn scan(
        self,
        prefix: impl AsRef<[u8]>,
        after: Option<StateKey>,
        limit: u32,
    ) -> Result<Scanned, ActorError> {
        let prefix = Bytes::copy_from_slice(prefix.as_ref());
        match self.perform(StateOp::Scan { prefix, after, limit }).await? {
            HostReply::Entries { entries, more } => Ok(Scanned { entries, more }),
            other => Err(unexpected(&other)),
        }
    }

    async fn perform(self, op: StateOp) -> Result<HostReply, ActorError> {
        operations::state(self.0.0, op).await
    }
}

fn state_key(key: impl AsRef<[u8]>) -> Result<StateKey, ActorError> {
    let key = StateKey::new(Bytes::copy_from_slice(key.as_ref()));
    key.map_err(|error| ActorError::new(ErrorKind::InvalidArgument, error.to_string()))
}
