//! `actr:workload/host@0.1.0`: what a guest may ask.

use bytes::Bytes;
use playhouse_types::{ActorError, Code, Dest, ErrorKind, HostOp, LogLevel, PayloadClass};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Lift, Linker, LinkerInstance};

use super::shape::Shape;
use super::types::{ActrId, PayloadType};
use crate::wasm::guest::{Guest, malformed, perform};
use crate::wasm::replies;
use crate::wasm::values::{ActorType, DataChunk};

/// The interface's name.
pub(super) const NAME: &str = "actr:workload/host@0.1.0";

type Store<'a> = StoreContextMut<'a, Guest>;

pub(super) fn link<S: Shape>(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut host = linker.instance(NAME)?;
    calls::<S>(&mut host)?;
    streams::<S>(&mut host)?;
    host.func_wrap("log-message", |mut store: Store<'_>, (level, text): (String, String)| {
        Ok(store.data_mut().say(LogLevel::from_name(&level), &text)?)
    })?;
    getters(&mut host)
}

fn calls<S: Shape>(host: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    request::<S, _>(host, "call", |(dest, route, payload): (S::Dest, String, Vec<u8>)| {
        call(dest.try_into()?, &route, payload)
    })?;
    request::<S, _>(host, "call-raw", |(id, route, payload): (ActrId, String, Vec<u8>)| {
        call(Dest::Actor(id.try_into()?), &route, payload)
    })?;
    operation::<S, _>(host, "tell", |(dest, route, payload): (S::Dest, String, Vec<u8>)| {
        let route = route.parse().map_err(|e| malformed(&e))?;
        Ok(HostOp::Tell { dest: dest.try_into()?, route, payload: Bytes::from(payload) })
    })?;
    host.func_wrap_async("discover", |store: Store<'_>, (target,): (ActorType,)| {
        Box::new(async move {
            let op = target.try_into().map(|actor_type| HostOp::Discover { actor_type });
            let reply = perform(store, op).await?;
            Ok((reply.and_then(replies::actor).map(|id| ActrId::from(&id)).map_err(|e| S::Error::from(&e)),))
        })
    })
}

fn streams<S: Shape>(host: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    operation::<S, _>(host, "register-stream", |(id,): (String,)| {
        Ok(HostOp::RegisterStream { stream_id: id.parse().map_err(|e| malformed(&e))? })
    })?;
    operation::<S, _>(host, "unregister-stream", |(id,): (String,)| {
        Ok(HostOp::UnregisterStream { stream_id: id.parse().map_err(|e| malformed(&e))? })
    })?;
    operation::<S, _>(host, S::SEND_CHUNK, |(dest, chunk, class): (S::Dest, DataChunk, PayloadType)| {
        let class = stream_class(class.into())?;
        Ok(HostOp::SendChunk { dest: dest.try_into()?, chunk: chunk.try_into()?, class })
    })
}

fn getters(host: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    host.func_wrap("get-self-id", |store: Store<'_>, (): ()| {
        let guest = store.data();
        guest.invocation()?;
        Ok((ActrId::from(guest.self_text.clone()),))
    })?;
    host.func_wrap("get-caller-id", |mut store: Store<'_>, (): ()| {
        Ok((store.data_mut().caller()?.map(ActrId::from),))
    })?;
    host.func_wrap("get-request-id", |store: Store<'_>, (): ()| {
        Ok((store.data().invocation()?.request_id.to_string(),))
    })
}

/// Offers an operation that answers bytes.
fn request<S: Shape, P>(
    host: &mut LinkerInstance<'_, Guest>,
    name: &str,
    op: fn(P) -> Result<HostOp, ActorError>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
{
    host.func_wrap_async(name, move |store: Store<'_>, params: P| {
        Box::new(async move {
            let reply = perform(store, op(params)).await?;
            Ok((reply.and_then(replies::bytes).map_err(|e| S::Error::from(&e)),))
        })
    })
}

/// Offers an operation that answers nothing but that it is done.
fn operation<S: Shape, P>(
    host: &mut LinkerInstance<'_, Guest>,
    name: &str,
    op: fn(P) -> Result<HostOp, ActorError>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
{
    host.func_wrap_async(name, move |store: Store<'_>, params: P| {
        Box::new(async move {
            let reply = perform(store, op(params)).await?;
            Ok((reply.map(drop).map_err(|e| S::Error::from(&e)),))
        })
    })
}

pub(super) fn call(dest: Dest, route: &str, payload: Vec<u8>) -> Result<HostOp, ActorError> {
    Ok(HostOp::Call { dest, route: route.parse().map_err(|e| malformed(&e))?, payload: Bytes::from(payload) })
}

/// Streams use two of the five classes.
pub(super) fn stream_class(class: PayloadClass) -> Result<PayloadClass, ActorError> {
    match class {
        PayloadClass::StreamReliable | PayloadClass::StreamLatencyFirst => Ok(class),
        _ => {
            let message = "chunks travel as stream-reliable or stream-latency-first";
            Err(ActorError::coded(ErrorKind::InvalidArgument, Code::StreamClass, message))
        }
    }
}
