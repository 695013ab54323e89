//! Compare-and-swap, in the second draft of `wasi:keyvalue/atomics`.

use playhouse_types::{HostOp, StateChange, StateEntry, StateKey, StateOp, StateVersion};
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, ResourceType, WasmList, WasmStr};

use super::{Error, Handle, Store, ask, bucket, state_key};
use crate::wasm::guest::Guest;
use crate::wasm::memory::Memory;
use crate::wasm::replies;

/// What a guest swaps by: a key, and which write it was at when the handle was made. Not the value, which may be large where
/// handles are many.
struct Cas {
    key: StateKey,
    expected: Option<StateVersion>,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    Store(Error),
    /// With a handle to try again by.
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

pub(super) fn link(atomics: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    atomics.resource("cas", ResourceType::host::<Cas>(), |mut store, handle| {
        store.data_mut().resources.delete(Resource::<Cas>::new_own(handle))?;
        Ok(())
    })?;
    atomics.func_wrap_async("[static]cas.new", |mut store: Store<'_>, (handle, key): (Handle, WasmStr)| {
        Box::new(async move {
            let made = match state_key(&store, bucket(&store, &handle)?, &key) {
                Ok(key) => make(&mut store, key).await?,
                Err(error) => Err(error.into()),
            };
            Ok((made,))
        })
    })?;
    atomics.func_wrap_async("[method]cas.current", |mut store: Store<'_>, (handle,): (Resource<Cas>,)| {
        Box::new(async move {
            let key = store.data().resources.get(&handle)?.key.clone();
            let found = read(&mut store, key).await?;
            Ok((found.map(|entry| entry.map(|entry| Vec::from(entry.value))),))
        })
    })?;
    atomics.func_wrap_async("swap", |mut store: Store<'_>, (handle, value): (Resource<Cas>, WasmList<u8>)| {
        Box::new(async move { Ok((swap(&mut store, handle, &value).await?,)) })
    })
}

/// A handle for a key as it is now.
async fn make(store: &mut Store<'_>, key: StateKey) -> wasmtime::Result<Result<Resource<Cas>, Error>> {
    let found = match read(store, key.clone()).await? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let cas = Cas { key, expected: found.map(|entry| entry.version) };
    Ok(Ok(store.data_mut().resources.push(cas)?))
}

async fn read(store: &mut Store<'_>, key: StateKey) -> wasmtime::Result<Result<Option<StateEntry>, Error>> {
    ask(store, Ok(HostOp::State(StateOp::Get { key })), replies::entry).await
}

/// Writes if nobody has written since the handle was made, which is used up.
async fn swap(
    store: &mut Store<'_>,
    handle: Resource<Cas>,
    value: &WasmList<u8>,
) -> wasmtime::Result<Result<(), CasError>> {
    let Cas { key, expected } = store.data_mut().resources.delete(handle)?;
    let value = Memory::of(store).value(value);
    let op = value.map(|value| {
        let change = StateChange { key: key.clone(), value: Some(value) };
        HostOp::State(StateOp::CompareAndSet { expected, change })
    });
    Ok(match ask(store, op, replies::flag).await? {
        Ok(true) => Ok(()),
        Ok(false) => Err(make(store, key).await?.map_or_else(CasError::Store, CasError::Failed)),
        Err(error) => Err(CasError::Store(error)),
    })
}
