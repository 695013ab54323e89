//! `playhouse:actor/state@0.1.0`.

use playhouse_types::{ActorError, HostOp, HostReply, StateChange, StateEntry, StateOp, StateVersion};
use wasmtime::component::{ComponentType, Lift, Linker, Lower, WasmList};

use super::offer;
use crate::wasm::guest::Guest;
use crate::wasm::memory::{Memory, refused};
use crate::wasm::replies;

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/state@0.1.0";

#[derive(ComponentType, Lower)]
#[component(record)]
struct Stored {
    value: Vec<u8>,
    version: u64,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Entry {
    key: Vec<u8>,
    value: Vec<u8>,
    version: u64,
}

impl From<StateEntry> for Entry {
    fn from(entry: StateEntry) -> Self {
        let key = entry.key.as_bytes().to_vec();
        Self { key, value: entry.value.into(), version: entry.version.get() }
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Page {
    entries: Vec<Entry>,
    more: bool,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Change {
    key: WasmList<u8>,
    value: Option<WasmList<u8>>,
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let state = &mut linker.instance(NAME)?;
    offer(state, "get", |memory, (key,): (Bytes,)| Ok(HostOp::State(StateOp::Get { key: memory.key(&key)? })), stored)?;
    offer(state, "set", |memory, (key, value)| write(vec![change(memory, &key, Some(&value))?]), replies::done)?;
    offer(state, "delete", |memory, (key,)| write(vec![change(memory, &key, None)?]), replies::done)?;
    offer(
        state,
        "compare-and-set",
        |memory, (expected, Change { key, value }): (Option<u64>, Change)| {
            let expected = expected.map(version).transpose()?;
            let change = change(memory, &key, value.as_ref())?;
            Ok(HostOp::State(StateOp::CompareAndSet { expected, change }))
        },
        replies::flag,
    )?;
    offer(
        state,
        "scan",
        |memory, (prefix, after, limit): (Bytes, Option<Bytes>, u32)| {
            let after = after.map(|after| memory.key(&after)).transpose()?;
            Ok(HostOp::State(StateOp::Scan { prefix: memory.key_part(&prefix)?, after, limit }))
        },
        page,
    )?;
    offer(
        state,
        "write",
        |memory, (changes,): (Vec<Change>,)| {
            let changes = changes.iter().map(|change_| change(memory, &change_.key, change_.value.as_ref()));
            write(changes.collect::<Result<_, _>>()?)
        },
        replies::done,
    )
}

type Bytes = WasmList<u8>;

fn write(changes: Vec<StateChange>) -> Result<HostOp, ActorError> {
    Ok(HostOp::State(StateOp::Write { changes }))
}

fn change(memory: &Memory<'_>, key: &Bytes, value: Option<&Bytes>) -> Result<StateChange, ActorError> {
    Ok(StateChange { key: memory.key(key)?, value: value.map(|value| memory.value(value)).transpose()? })
}

fn version(number: u64) -> Result<StateVersion, ActorError> {
    StateVersion::new(number)
        .ok_or_else(|| refused("no value has version 0; a key without a value is expected by none"))
}

fn stored(reply: HostReply) -> Result<Option<Stored>, ActorError> {
    let entry = replies::entry(reply)?;
    Ok(entry.map(|entry| Stored { value: entry.value.into(), version: entry.version.get() }))
}

fn page(reply: HostReply) -> Result<Page, ActorError> {
    let (entries, more) = replies::entries(reply)?;
    Ok(Page { entries: entries.into_iter().map(Entry::from).collect(), more })
}
