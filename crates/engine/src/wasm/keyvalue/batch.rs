//! `wasi:keyvalue/batch`.

use playhouse_types::{ActorError, HostOp, StateChange, StateOp};
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{Component, ComponentType, Linker, LinkerInstance, Lower, WasmList, WasmStr};

use super::{Error, Handle, Store, ask, bucket, state_key, store};
use crate::wasm::guest::Guest;
use crate::wasm::memory::{Memory, too_large};
use crate::wasm::replies;

/// The interface's names.
pub(super) const DRAFT: &str = "wasi:keyvalue/batch@0.2.0-draft";
pub(super) const DRAFT_2: &str = "wasi:keyvalue/batch@0.2.0-draft2";

const GET_MANY: &str = "get-many";

/// A key and its value, if it has one.
type Found = (String, Option<Vec<u8>>);
/// The same as it was at first: nothing at all in the place of a key without a value.
type Paired = Option<(String, Vec<u8>)>;

pub(super) fn link(linker: &mut Linker<Guest>, component: &Component) -> wasmtime::Result<()> {
    let draft = &mut linker.instance(DRAFT)?;
    get_many(draft, paired)?;
    writes(draft)?;
    let draft_2 = &mut linker.instance(DRAFT_2)?;
    if has_keys(component) {
        get_many(draft_2, |found| found)?
    } else {
        get_many(draft_2, paired)?
    }
    writes(draft_2)
}

/// Whether the component wants the key with each value. The second draft changed that without another name.
fn has_keys(component: &Component) -> bool {
    let engine = component.engine();
    let imported = component.component_type().get_import(engine, DRAFT_2).map(|import| import.ty);
    let Some(ComponentItem::ComponentInstance(batch)) = imported else { return true };
    let exported = batch.get_export(engine, GET_MANY).map(|export| export.ty);
    let Some(ComponentItem::ComponentFunc(function)) = exported else { return true };
    let Some(Type::Result(result)) = function.results().next() else { return true };
    let Some(Type::List(list)) = result.ok() else { return true };
    !matches!(list.ty(), Type::Option(_))
}

fn paired((key, value): Found) -> Paired {
    value.map(|value| (key, value))
}

fn get_many<T>(batch: &mut LinkerInstance<'_, Guest>, form: fn(Found) -> T) -> wasmtime::Result<()>
where
    T: ComponentType + Lower + Send + 'static,
{
    batch.func_wrap_async(GET_MANY, move |mut store: Store<'_>, (handle, keys): (Handle, Vec<WasmStr>)| {
        Box::new(async move { Ok((read(&mut store, &handle, &keys, form).await?,)) })
    })
}

fn writes(batch: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    batch.func_wrap_async(
        "set-many",
        |mut store: Store<'_>, (handle, pairs): (Handle, Vec<(WasmStr, WasmList<u8>)>)| {
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
    batch.func_wrap_async("delete-many", |mut store: Store<'_>, (handle, keys): (Handle, Vec<WasmStr>)| {
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
async fn read<T>(
    store: &mut Store<'_>,
    handle: &Handle,
    keys: &[WasmStr],
    form: fn(Found) -> T,
) -> wasmtime::Result<Result<Vec<T>, Error>> {
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
            Ok(text) => found.push(form((text, value))),
            Err(error) => return Ok(Err(error.into())),
        }
    }
    Ok(Ok(found))
}
