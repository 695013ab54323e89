//! `playhouse:actor/host@0.1.0`: what a guest may ask.

use bytes::Bytes;
use playhouse_types::{ActorError, HostOp};
use wasmtime::StoreContextMut;
use wasmtime::component::{Lift, Linker, LinkerInstance};

use super::types::{ActorId, Dest, Error, Level, PayloadClass};
use crate::wasm::guest::{Guest, malformed, perform};
use crate::wasm::replies;
use crate::wasm::values::{ActorType, DataChunk};

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/host@0.1.0";

type Message = (Dest, String, Vec<u8>);

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut host = linker.instance(NAME)?;
    host.func_wrap_async("call", |store: StoreContextMut<'_, Guest>, (dest, route, payload): Message| {
        Box::new(async move {
            let reply = perform(store, call(dest, &route, payload)).await?;
            Ok((reply.and_then(replies::bytes).map_err(|e| Error::from(&e)),))
        })
    })?;
    operation(&mut host, "tell", |(dest, route, payload): Message| tell(dest, &route, payload))?;
    host.func_wrap_async("discover", |store: StoreContextMut<'_, Guest>, (target,): (ActorType,)| {
        Box::new(async move {
            let op = target.try_into().map(|actor_type| HostOp::Discover { actor_type });
            let reply = perform(store, op).await?;
            Ok((reply.and_then(replies::actor).map(|id| ActorId::from(&id)).map_err(|e| Error::from(&e)),))
        })
    })?;
    operation(&mut host, "register-stream", |(id,): (String,)| {
        Ok(HostOp::RegisterStream { stream_id: id.parse().map_err(|e| malformed(&e))? })
    })?;
    operation(&mut host, "unregister-stream", |(id,): (String,)| {
        Ok(HostOp::UnregisterStream { stream_id: id.parse().map_err(|e| malformed(&e))? })
    })?;
    operation(&mut host, "send-chunk", |(dest, chunk, class): (Dest, DataChunk, PayloadClass)| {
        Ok(HostOp::SendChunk { dest: dest.try_into()?, chunk: chunk.try_into()?, class: class.into() })
    })?;
    host.func_wrap("log", |mut store: StoreContextMut<'_, Guest>, (level, text): (Level, String)| {
        Ok(store.data_mut().say(level.into(), &text)?)
    })
}

/// Offers an operation that answers nothing but that it is done.
fn operation<P, F>(host: &mut LinkerInstance<'_, Guest>, name: &str, op: F) -> wasmtime::Result<()>
where
    P: wasmtime::component::ComponentNamedList + Lift + Send + 'static,
    F: Fn(P) -> Result<HostOp, ActorError> + Send + Sync + Copy + 'static,
{
    host.func_wrap_async(name, move |store: StoreContextMut<'_, Guest>, params: P| {
        Box::new(async move { Ok((perform(store, op(params)).await?.map(drop).map_err(|e| Error::from(&e)),)) })
    })
}

fn call(dest: Dest, route: &str, payload: Vec<u8>) -> Result<HostOp, ActorError> {
    let route = route.parse().map_err(|e| malformed(&e))?;
    Ok(HostOp::Call { dest: dest.try_into()?, route, payload: Bytes::from(payload) })
}

fn tell(dest: Dest, route: &str, payload: Vec<u8>) -> Result<HostOp, ActorError> {
    let route = route.parse().map_err(|e| malformed(&e))?;
    Ok(HostOp::Tell { dest: dest.try_into()?, route, payload: Bytes::from(payload) })
}
