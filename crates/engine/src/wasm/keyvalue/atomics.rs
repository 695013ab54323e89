//! `wasi:keyvalue/atomics`.

use playhouse_types::{ActorError, ErrorKind, HostOp, StateChange, StateEntry, StateOp};
use wasmtime::component::{Linker, Resource, WasmStr};

use super::{Bucket, Error, Store, ask, bucket, state_key, store};
use crate::wasm::guest::Guest;
use crate::wasm::replies;

/// The interface's name.
pub(super) const NAME: &str = "wasi:keyvalue/atomics@0.2.0-draft";

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(NAME)?.func_wrap_async(
        "increment",
        |mut store: Store<'_>, (handle, key, delta): (Resource<Bucket>, WasmStr, u64)| {
            Box::new(async move { Ok((increment(&mut store, &handle, &key, delta).await?,)) })
        },
    )
}

/// Adds to a number. Events of one actor can run beside each other, so the write goes by what was read.
async fn increment(
    store: &mut Store<'_>,
    handle: &Resource<Bucket>,
    key: &WasmStr,
    delta: u64,
) -> wasmtime::Result<Result<u64, Error>> {
    loop {
        let found = match store::get(store, handle, key).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let sum = match sum(found.as_ref(), delta) {
            Ok(sum) => sum,
            Err(error) => return Ok(Err(error.into())),
        };
        let op = state_key(store, bucket(store, handle)?, key).map(|key| {
            let change = StateChange { key, value: Some(sum.to_string().into()) };
            HostOp::State(StateOp::CompareAndSet { expected: found.map(|entry| entry.version), change })
        });
        match ask(store, op, replies::flag).await? {
            Ok(true) => return Ok(Ok(sum)),
            // Somebody else wrote meanwhile. Every round counts as host operations, of which an event has so many.
            Ok(false) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn sum(found: Option<&StateEntry>, delta: u64) -> Result<u64, ActorError> {
    let wrong = |text: &str| ActorError::new(ErrorKind::InvalidArgument, text);
    let number = match found {
        Some(entry) => std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse::<u64>().ok()),
        None => Some(0),
    };
    let number = number.ok_or_else(|| wrong("the value is no decimal number of 64 bits"))?;
    number.checked_add(delta).ok_or_else(|| wrong("the sum would not fit 64 bits"))
}
