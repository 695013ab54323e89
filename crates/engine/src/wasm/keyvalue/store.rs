//! `wasi:keyvalue/store`.

use playhouse_types::{HostOp, StateChange, StateEntry, StateOp};
use wasmtime::component::{ComponentType, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList, WasmStr};

use super::{Bucket, Error, Store, ask, bucket, state_key};
use crate::wasm::guest::Guest;
use crate::wasm::memory::Memory;
use crate::wasm::replies;

/// The interface's name.
pub(super) const NAME: &str = "wasi:keyvalue/store@0.2.0-draft";

/// Bytes of a bucket's name: it stands in front of each of its keys, which have 512 together with it.
const BUCKET_BYTES_MAX: usize = 64;

/// Keys that one `list-keys` gives. The state is read with its values, whose bytes the host limits.
const KEYS_MAX: u32 = 1000;

#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse {
    keys: Vec<String>,
    cursor: Option<u64>,
}

type Handle = Resource<Bucket>;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let store = &mut linker.instance(NAME)?;
    store.resource("bucket", ResourceType::host::<Bucket>(), |mut store, handle| {
        store.data_mut().resources.delete(Handle::new_own(handle))?;
        Ok(())
    })?;
    store.func_wrap("open", |mut store: Store<'_>, (name,): (WasmStr,)| Ok((open(&mut store, &name)?,)))?;
    reads(store)?;
    writes(store)?;
    store.func_wrap_async(
        "[method]bucket.list-keys",
        |mut store: Store<'_>, (handle, cursor): (Handle, Option<u64>)| {
            Box::new(async move { Ok((list_keys(&mut store, &handle, cursor).await?,)) })
        },
    )
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
    handle: &Handle,
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

/// Cursors are numbers where the state goes by keys: a bucket remembers where the last one that it gave goes on.
async fn list_keys(
    store: &mut Store<'_>,
    handle: &Handle,
    cursor: Option<u64>,
) -> wasmtime::Result<Result<KeyResponse, Error>> {
    let Bucket { prefix, cursor: last } = bucket(store, handle)?;
    let after = match (cursor, last) {
        (None, _) => None,
        (Some(wanted), Some((given, key))) if wanted == *given => Some(key.clone()),
        (Some(wanted), _) => {
            return Ok(Err(Error::Other(format!("{wanted} is not the last cursor that this bucket gave"))));
        }
    };
    let prefix = prefix.clone();
    let scan = StateOp::Scan { prefix: prefix.clone().into(), after, limit: KEYS_MAX };
    let (entries, more) = match ask(store, Ok(HostOp::State(scan)), replies::entries).await? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    // Keys that are no text were not written through this interface.
    let text =
        |entry: &StateEntry| std::str::from_utf8(entry.key.as_bytes().get(prefix.len()..)?).ok().map(str::to_owned);
    let keys = entries.iter().filter_map(text).collect();
    let last = entries.last().filter(|_| more).map(|entry| (cursor.unwrap_or(0).wrapping_add(1), entry.key.clone()));
    let next = last.as_ref().map(|(number, _)| *number);
    store.data_mut().resources.get_mut(handle)?.cursor = last;
    Ok(Ok(KeyResponse { keys, cursor: next }))
}
