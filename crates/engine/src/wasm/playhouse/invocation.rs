//! `playhouse:actor/invocation@0.1.0`: what surrounds the event at hand.

use std::time::Instant;

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::types::ActorId;
use crate::wasm::guest::Guest;
use crate::wasm::ids::request_id;

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/invocation@0.1.0";

type Store<'a> = StoreContextMut<'a, Guest>;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut invocation = linker.instance(NAME)?;
    invocation.func_wrap("self-id", |store: Store<'_>, (): ()| {
        store.data().invocation()?;
        Ok((ActorId::from(store.data().self_text.clone()),))
    })?;
    invocation
        .func_wrap("caller", |mut store: Store<'_>, (): ()| Ok((store.data_mut().caller()?.map(ActorId::from),)))?;
    invocation.func_wrap("request-id", |store: Store<'_>, (): ()| {
        Ok((request_id(&store.data().invocation()?.request_id),))
    })?;
    invocation.func_wrap("time-left-ms", |store: Store<'_>, (): ()| {
        Ok((store.data().invocation()?.deadline.map(milliseconds_until),))
    })
}

fn milliseconds_until(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}
