//! An actor's state, as its messages see it.

use std::num::NonZeroU64;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use playhouse_store::{BatchLimits, Effects, Expect, KeyRange, Revision, StoreError, Versioned};
use playhouse_types::limits::STATE_VALUE_BYTES_MAX;
use playhouse_types::{
    ActorError, Code, ErrorKind, HostReply, StateChange, StateEntry, StateKey, StateOp, StateVersion,
};

use super::turn::{Slot, Turn};

/// Values that one scan answers with at most.
const SCAN_ITEMS_MAX: usize = 1000;
/// Bytes that one scan answers with at most, beyond its first value.
const SCAN_BYTES_MAX: usize = 1 << 20;

/// Performs an operation on the state of the message at hand.
pub(super) async fn perform(turn: Arc<Turn>, op: StateOp) -> Result<HostReply, ActorError> {
    let mut slot = turn.slot().await?;
    match op {
        StateOp::Get { key } => {
            let found = slot.effects()?.get(key.as_bytes()).await?;
            Ok(HostReply::Entry(found.map(|found| entry(key, found))))
        }
        StateOp::Write { changes } => write(&mut slot, changes),
        StateOp::CompareAndSet { expected, change } => {
            let expect =
                expected.map_or(Expect::Absent, |version| Expect::Version(Revision::from_number(version.get())));
            let StateChange { key, value } = change;
            match slot.effects()?.compare_and_set(key.as_bytes().clone(), expect, value).await {
                Ok(()) => Ok(HostReply::Flag(true)),
                Err(StoreError::VersionMismatch { .. }) => Ok(HostReply::Flag(false)),
                Err(error) => Err(error.into()),
            }
        }
        StateOp::Scan { prefix, after, limit } => scan(slot.effects()?, &prefix, after, limit).await,
    }
}

fn write(slot: &mut Slot, changes: Vec<StateChange>) -> Result<HostReply, ActorError> {
    if let Some(bytes) = changes.iter().filter_map(|change| Some(change.value.as_ref()?.len())).max()
        && bytes > STATE_VALUE_BYTES_MAX
    {
        let text = format!("a value of state has {bytes} bytes, the limit is {STATE_VALUE_BYTES_MAX}");
        return Err(ActorError::coded(ErrorKind::InvalidArgument, Code::StoreLimit, text));
    }
    for (index, StateChange { key, value }) in changes.into_iter().enumerate() {
        let effects = slot.effects()?;
        let made = match value {
            Some(value) => effects.set(key.as_bytes().clone(), value),
            None => effects.delete(key.as_bytes().clone()),
        };
        if let Err(error) = made {
            let error = ActorError::from(error);
            // The writes before it cannot be taken back one by one, and some of a batch is what nobody asked for.
            slot.broken = (index > 0).then(|| error.clone());
            return Err(error);
        }
    }
    Ok(HostReply::Done)
}

async fn scan(effects: &Effects, prefix: &[u8], after: Option<StateKey>, limit: u32) -> Result<HostReply, ActorError> {
    let mut range = KeyRange::prefix(prefix);
    if let Some(after) = after.filter(|after| after.as_bytes().as_ref() >= prefix) {
        range = range.after(after.as_bytes().clone());
    }
    let items = (limit as usize).min(SCAN_ITEMS_MAX);
    if items == 0 || range.is_empty() {
        return Ok(HostReply::Entries { entries: Vec::new(), more: false });
    }
    let mut found = effects.scan(range.clone(), BatchLimits { items: items + 1, bytes: SCAN_BYTES_MAX }).await?;
    let more = if found.len() > items {
        found.truncate(items);
        true
    } else {
        // It may have ended because of the bytes.
        match found.last() {
            Some((last, _)) => {
                let behind = Bound::Excluded(last.clone());
                let behind = KeyRange { from: behind, to: range.to };
                !effects.scan(behind, BatchLimits { items: 1, bytes: 1 }).await?.is_empty()
            }
            None => false,
        }
    };
    let entries = found.into_iter().filter_map(|(key, found)| Some(entry(state_key(key)?, found))).collect();
    Ok(HostReply::Entries { entries, more })
}

fn state_key(key: Bytes) -> Option<StateKey> {
    StateKey::new(key).ok()
}

fn entry(key: StateKey, found: Versioned) -> StateEntry {
    let version: StateVersion = NonZeroU64::new(found.version.number()).unwrap_or(NonZeroU64::MIN);
    StateEntry { key, value: found.value, version }
}
