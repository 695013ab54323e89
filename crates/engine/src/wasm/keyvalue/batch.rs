//! `wasi:keyvalue/batch`.

use playhouse_types::{ActorError, HostOp, StateChange, StateOp};
use wasmtime::component::{Linker, Resource, WasmList, WasmStr};

use super::{Bucket, Error, Store, ask, bucket, state_key, store};
use crate::wasm::guest::Guest;
use crate::wasm::memory::{Memory, too_large};
use crate::wasm::replies;

/// The interface's name.
pub(super) const NAME: &str = "wasi:keyvalue/batch@0.2.0-draft";

type Found = Vec<Option<(String, Vec<u8>)>>;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let batch = &mut linker.instance(NAME)?;
    batch.func_wrap_async("get-many", |mut store: Store<'_>, (handle, keys): (Resource<Bucket>, Vec<WasmStr>)| {
        Box::new(async move { Ok((get_many(&mut store, &handle, &keys).await?,)) })
    })?;
    batch.func_wrap_async(
        "set-many",
        |mut store: Store<'_>, (handle, pairs): (Resource<Bucket>, Vec<(WasmStr, WasmList<u8>)>)| {
            Box::new(async move {
                let bucket = bucket(&store, &handle)?;
                let changes = pairs.iter().map(|(key, value)| {
                    let key = state_key(&store, bucket, key)?;
                    Ok(StateChange { key, value: Some(Memory::of(&store).value(value)?) })
                });
                let op = write(changes);
                Ok((ask(&mut store, op, replies::done).await?,))
            })
        },
    )?;
    batch.func_wrap_async("delete-many", |mut store: Store<'_>, (handle, keys): (Resource<Bucket>, Vec<WasmStr>)| {
        Box::new(async move {
            let bucket = bucket(&store, &handle)?;
            let change = |key| Ok(StateChange { key: state_key(&store, bucket, key)?, value: None });
            let op = write(keys.iter().map(change));
            Ok((ask(&mut store, op, replies::done).await?,))
        })
    })
}

/// All of the changes or none.
fn write(changes: impl Iterator<Item = Result<StateChange, ActorError>>) -> Result<HostOp, ActorError> {
    Ok(HostOp::State(StateOp::Write { changes: changes.collect::<Result<_, _>>()? }))
}

/// The values, in the order of the keys. Together they are not larger than a reply may be.
async fn get_many(
    store: &mut Store<'_>,
    handle: &Resource<Bucket>,
    keys: &[WasmStr],
) -> wasmtime::Result<Result<Found, Error>> {
    let limit = store.data().budget.limits().reply_bytes;
    let (mut found, mut bytes) = (Vec::with_capacity(keys.len()), 0_usize);
    for key in keys {
        let value = match store::get(store, handle, key).await? {
            Ok(entry) => entry.map(|entry| Vec::from(entry.value)),
            Err(error) => return Ok(Err(error)),
        };
        bytes = bytes.saturating_add(value.as_ref().map_or(0, Vec::len));
        if bytes > limit {
            return Ok(Err(too_large("what was asked for", bytes, limit).into()));
        }
        let text = Memory::of(store).text(key, |key| Ok(key.to_owned()));
        match text {
            Ok(text) => found.push(value.map(|value| (text, value))),
            Err(error) => return Ok(Err(error.into())),
        }
    }
    Ok(Ok(found))
}
