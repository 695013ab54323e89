//! `wasi:keyvalue/store`.

use playhouse_types::{HostOp, StateChange, StateEntry, StateOp};
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType, WasmList, WasmStr};

use super::{Bucket, Error, Handle, Store, ask, bucket, list, state_key};
use crate::wasm::guest::Guest;
use crate::wasm::memory::Memory;
use crate::wasm::replies;

/// The interface's names.
pub(super) const DRAFT: &str = "wasi:keyvalue/store@0.2.0-draft";
pub(super) const DRAFT_2: &str = "wasi:keyvalue/store@0.2.0-draft2";

/// Bytes of a bucket's name: it stands in front of each of its keys, which have 512 together with it.
const BUCKET_BYTES_MAX: usize = 64;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let draft = &mut linker.instance(DRAFT)?;
    values(draft)?;
    list::by_number(draft)?;
    let draft_2 = &mut linker.instance(DRAFT_2)?;
    values(draft_2)?;
    list::by_text(draft_2)
}

/// What both drafts have.
fn values(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.resource("bucket", ResourceType::host::<Bucket>(), |mut store, handle| {
        store.data_mut().resources.delete(Handle::new_own(handle))?;
        Ok(())
    })?;
    store.func_wrap("open", |mut store: Store<'_>, (name,): (WasmStr,)| Ok((open(&mut store, &name)?,)))?;
    reads(store)?;
    writes(store)
}

fn open(store: &mut Store<'_>, name: &WasmStr) -> wasmtime::Result<Result<Handle, Error>> {
    let named = Memory::of(store).text(name, |name| {
        Ok(match name {
            "" => Some("default".to_owned()),
            name if name.len() > BUCKET_BYTES_MAX || name.contains(|c: char| c == '/' || c.is_control()) => None,
            name => Some(name.to_owned()),
        })
    });
    let Ok(Some(name)) = named else { return Ok(Err(Error::NoSuchStore)) };
    let bucket = Bucket { prefix: format!("kv/{name}/"), cursor: None };
    Ok(Ok(store.data_mut().resources.push(bucket)?))
}

fn reads(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.func_wrap_async("[method]bucket.get", |mut store: Store<'_>, (handle, key): (Handle, WasmStr)| {
        Box::new(async move {
            let found = get(&mut store, &handle, &key).await?;
            Ok((found.map(|entry| entry.map(|entry| Vec::from(entry.value))),))
        })
    })?;
    store.func_wrap_async("[method]bucket.exists", |mut store: Store<'_>, (handle, key): (Handle, WasmStr)| {
        Box::new(async move { Ok((get(&mut store, &handle, &key).await?.map(|entry| entry.is_some()),)) })
    })
}

fn writes(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.func_wrap_async(
        "[method]bucket.set",
        |mut store: Store<'_>, (handle, key, value): (Handle, WasmStr, WasmList<u8>)| {
            Box::new(async move { Ok((write(&mut store, &handle, &key, Some(&value)).await?,)) })
        },
    )?;
    store.func_wrap_async("[method]bucket.delete", |mut store: Store<'_>, (handle, key): (Handle, WasmStr)| {
        Box::new(async move { Ok((write(&mut store, &handle, &key, None).await?,)) })
    })
}

/// A value of a bucket.
pub(super) async fn get(
    store: &mut Store<'_>,
    handle: &Resource<Bucket>,
    key: &WasmStr,
) -> wasmtime::Result<Result<Option<StateEntry>, Error>> {
    let key = state_key(store, bucket(store, handle)?, key);
    ask(store, key.map(|key| HostOp::State(StateOp::Get { key })), replies::entry).await
}

async fn write(
    store: &mut Store<'_>,
    handle: &Handle,
    key: &WasmStr,
    value: Option<&WasmList<u8>>,
) -> wasmtime::Result<Result<(), Error>> {
    let key = state_key(store, bucket(store, handle)?, key);
    let value = value.map(|value| Memory::of(store).value(value)).transpose();
    let change = key.and_then(|key| Ok(StateChange { key, value: value? }));
    ask(store, change.map(|change| HostOp::State(StateOp::Write { changes: vec![change] })), replies::done).await
}
