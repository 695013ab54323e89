//! `wasi:keyvalue/atomics`.

use std::ops::RangeInclusive;

use playhouse_types::{ActorError, ErrorKind, HostOp, StateChange, StateEntry, StateOp};
use wasmtime::component::{Linker, WasmStr};

use super::{Error, Handle, Store, ask, bucket, cas, state_key, store};
use crate::wasm::guest::Guest;
use crate::wasm::replies;

/// The interface's names.
pub(super) const DRAFT: &str = "wasi:keyvalue/atomics@0.2.0-draft";
pub(super) const DRAFT_2: &str = "wasi:keyvalue/atomics@0.2.0-draft2";

/// Numbers as the drafts have them.
const UNSIGNED: RangeInclusive<i128> = 0..=u64::MAX as i128;
const SIGNED: RangeInclusive<i128> = i64::MIN as i128..=i64::MAX as i128;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(DRAFT)?.func_wrap_async(
        "increment",
        |mut store: Store<'_>, (handle, key, delta): (Handle, WasmStr, u64)| {
            Box::new(async move {
                let sum = increment(&mut store, &handle, &key, delta.into(), UNSIGNED).await?;
                Ok((sum.map(|sum| sum as u64),))
            })
        },
    )?;
    let draft_2 = &mut linker.instance(DRAFT_2)?;
    draft_2.func_wrap_async("increment", |mut store: Store<'_>, (handle, key, delta): (Handle, WasmStr, i64)| {
        Box::new(async move {
            let sum = increment(&mut store, &handle, &key, delta.into(), SIGNED).await?;
            Ok((sum.map(|sum| sum as i64),))
        })
    })?;
    cas::link(draft_2)
}

/// Adds to a number; the sum is in the range. Events of one actor can run beside each other, so the write goes by what was read.
async fn increment(
    store: &mut Store<'_>,
    handle: &Handle,
    key: &WasmStr,
    delta: i128,
    range: RangeInclusive<i128>,
) -> wasmtime::Result<Result<i128, Error>> {
    loop {
        let found = match store::get(store, handle, key).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let sum = match sum(found.as_ref(), delta, &range) {
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

fn sum(found: Option<&StateEntry>, delta: i128, range: &RangeInclusive<i128>) -> Result<i128, ActorError> {
    let wrong = |text: &str| ActorError::new(ErrorKind::InvalidArgument, text);
    let number = match found {
        Some(entry) => std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok()),
        None => Some(0),
    };
    let number = number.filter(|number| range.contains(number));
    let number = number.ok_or_else(|| wrong("the value is no decimal number of 64 bits"))?;
    // Both are of 64 bits, so the sum fits 128.
    Some(number + delta).filter(|sum| range.contains(sum)).ok_or_else(|| wrong("the sum would not fit 64 bits"))
}
