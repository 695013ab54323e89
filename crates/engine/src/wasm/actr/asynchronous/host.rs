//! The host interfaces as functions that do not hold the store while they wait.

use bytes::Bytes;
use playhouse_types::{ActorError, Dest, HostOp, HostReply, LogLevel};
use wasmtime::component::{Accessor, ComponentNamedList, ComponentType, Lift, Linker, LinkerInstance, Lower};

use crate::HostFuture;
use crate::wasm::actr::host::{NAME as NAME_1, call, stream_class};
use crate::wasm::actr::shape::{C, Shape};
use crate::wasm::actr::types::{ActrId, PayloadType};
use crate::wasm::failure::LimitBroken;
use crate::wasm::guest::{Answer, Guest, contained, malformed};
use crate::wasm::replies;
use crate::wasm::values::{ActorType, DataChunk};

/// The interface of `@0.2.0`.
pub(super) const NAME_2: &str = "actr:workload/host@0.2.0";

type Host<'l> = LinkerInstance<'l, Guest>;
type Op = Result<HostOp, ActorError>;
type Reply = Result<HostReply, ActorError>;

/// Which event asks.
#[derive(Debug, Clone, Copy)]
enum Asker {
    /// The one in progress.
    Current,
    /// The one with the token.
    Token(u64),
}

/// The interface of `@0.1.0` in shape `S`.
pub(super) fn link_1<S: Shape>(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let host = &mut linker.instance(NAME_1)?;
    let own = Asker::Current;
    offer(
        host,
        "call",
        move |(to, route, data): (S::Dest, String, Vec<u8>)| (own, call_at(to, &route, data)),
        bytes::<S>,
    )?;
    offer(
        host,
        "call-raw",
        move |(to, route, data): (ActrId, String, Vec<u8>)| (own, call_raw(to, &route, data)),
        bytes::<S>,
    )?;
    offer(host, "tell", move |(to, route, data): (S::Dest, String, Vec<u8>)| (own, tell(to, &route, data)), done::<S>)?;
    offer(host, "discover", move |(wanted,): (ActorType,)| (own, discover(wanted)), found::<S>)?;
    offer(host, "register-stream", move |(id,): (String,)| (own, register(&id)), done::<S>)?;
    offer(host, "unregister-stream", move |(id,): (String,)| (own, unregister(&id)), done::<S>)?;
    offer(
        host,
        S::SEND_CHUNK,
        move |(to, chunk, class): (S::Dest, DataChunk, PayloadType)| (own, send(to, chunk, class)),
        done::<S>,
    )?;
    host.func_wrap_concurrent("log-message", |accessor, (level, text): (String, String)| {
        Box::pin(async move { say(accessor, Asker::Current, &level, &text) })
    })?;
    getters(host)
}

fn getters(host: &mut Host<'_>) -> wasmtime::Result<()> {
    get(host, "get-self-id", |guest| {
        guest.invocation()?;
        Ok(ActrId::from(guest.self_text.clone()))
    })?;
    get(host, "get-caller-id", |guest| Ok(guest.caller()?.map(ActrId::from)))?;
    get(host, "get-request-id", |guest| Ok(guest.invocation()?.request_id.to_string()))
}

fn get<R>(host: &mut Host<'_>, name: &str, read: fn(&mut Guest) -> Result<R, LimitBroken>) -> wasmtime::Result<()>
where
    R: ComponentType + Lower + Send + Sync + 'static,
{
    host.func_wrap_concurrent(name, move |accessor, (): ()| {
        Box::pin(async move { Ok((accessor.with(|mut access| read(access.data_mut()))?,)) })
    })
}

/// The interface of `@0.2.0`: every function names its event first, and there are no getters.
pub(super) fn link_2(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    type To = <C as Shape>::Dest;
    let host = &mut linker.instance(NAME_2)?;
    let by = Asker::Token;
    offer(
        host,
        "call",
        move |(of, to, route, data): (u64, To, String, Vec<u8>)| (by(of), call_at(to, &route, data)),
        bytes::<C>,
    )?;
    offer(
        host,
        "call-raw",
        move |(of, to, route, data): (u64, ActrId, String, Vec<u8>)| (by(of), call_raw(to, &route, data)),
        bytes::<C>,
    )?;
    offer(
        host,
        "tell",
        move |(of, to, route, data): (u64, To, String, Vec<u8>)| (by(of), tell(to, &route, data)),
        done::<C>,
    )?;
    offer(host, "discover", move |(of, wanted): (u64, ActorType)| (by(of), discover(wanted)), found::<C>)?;
    offer(host, "register-stream", move |(of, id): (u64, String)| (by(of), register(&id)), done::<C>)?;
    offer(host, "unregister-stream", move |(of, id): (u64, String)| (by(of), unregister(&id)), done::<C>)?;
    offer(
        host,
        C::SEND_CHUNK,
        move |(of, to, chunk, class): (u64, To, DataChunk, PayloadType)| (by(of), send(to, chunk, class)),
        done::<C>,
    )?;
    host.func_wrap_concurrent("log-message", |accessor, (of, level, text): (u64, String, String)| {
        Box::pin(async move { say(accessor, Asker::Token(of), &level, &text) })
    })
}

/// Offers an operation: `read` turns its parameters into one, `write` the reply into its result.
fn offer<P, R>(
    host: &mut Host<'_>,
    name: &str,
    read: impl Fn(P) -> (Asker, Op) + Copy + Send + Sync + 'static,
    write: fn(Reply) -> R,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
    R: ComponentType + Lower + Send + Sync + 'static,
{
    host.func_wrap_concurrent(name, move |accessor, params: P| {
        Box::pin(async move {
            let (asker, op) = read(params);
            Ok((write(ask(accessor, asker, op).await?),))
        })
    })
}

async fn ask(accessor: &Accessor<Guest>, asker: Asker, op: Op) -> Answer<HostReply> {
    let started = accessor.with(|mut access| start(access.data_mut(), asker, op))?;
    Ok(match started {
        Ok(operation) => contained(operation).await,
        Err(error) => Err(error),
    })
}

fn start(guest: &mut Guest, asker: Asker, op: Op) -> Result<Result<HostFuture, ActorError>, LimitBroken> {
    match asker {
        Asker::Current => {
            guest.budget.host_call()?;
            let context = guest.invocation()?.clone();
            Ok(op.map(|op| Box::pin(async move { context.host.perform(&context, op).await }) as HostFuture))
        }
        Asker::Token(token) => {
            let invocations = guest.invocations.as_ref().ok_or(LimitBroken::NoInvocation)?;
            invocations.host_call(token)?;
            Ok(op.and_then(|op| invocations.perform(token, op)))
        }
    }
}

fn say(accessor: &Accessor<Guest>, asker: Asker, level: &str, text: &str) -> wasmtime::Result<()> {
    let level = LogLevel::from_name(level);
    accessor.with(|mut access| {
        let guest = access.data_mut();
        match (asker, &guest.invocations) {
            (Asker::Token(token), Some(invocations)) => {
                invocations.host_call(token)?;
                guest.log.write(level, text);
            }
            _ => guest.say(level, text)?,
        }
        Ok(())
    })
}

fn bytes<S: Shape>(reply: Reply) -> Result<Vec<u8>, S::Error> {
    reply.and_then(replies::bytes).map_err(|error| S::Error::from(&error))
}

fn found<S: Shape>(reply: Reply) -> Result<ActrId, S::Error> {
    reply.and_then(replies::actor).map(|id| ActrId::from(&id)).map_err(|error| S::Error::from(&error))
}

fn done<S: Shape>(reply: Reply) -> Result<(), S::Error> {
    reply.map(drop).map_err(|error| S::Error::from(&error))
}

fn call_at(dest: impl TryInto<Dest, Error = ActorError>, route: &str, payload: Vec<u8>) -> Op {
    call(dest.try_into()?, route, payload)
}

fn call_raw(id: ActrId, route: &str, payload: Vec<u8>) -> Op {
    call(Dest::Actor(id.try_into()?), route, payload)
}

fn tell(dest: impl TryInto<Dest, Error = ActorError>, route: &str, payload: Vec<u8>) -> Op {
    let route = route.parse().map_err(|error| malformed(&error))?;
    Ok(HostOp::Tell { dest: dest.try_into()?, route, payload: Bytes::from(payload) })
}

fn discover(wanted: ActorType) -> Op {
    Ok(HostOp::Discover { actor_type: wanted.try_into()? })
}

fn register(id: &str) -> Op {
    Ok(HostOp::RegisterStream { stream_id: id.parse().map_err(|error| malformed(&error))? })
}

fn unregister(id: &str) -> Op {
    Ok(HostOp::UnregisterStream { stream_id: id.parse().map_err(|error| malformed(&error))? })
}

fn send(dest: impl TryInto<Dest, Error = ActorError>, chunk: DataChunk, class: PayloadType) -> Op {
    let class = stream_class(class.into())?;
    Ok(HostOp::SendChunk { dest: dest.try_into()?, chunk: chunk.try_into()?, class })
}
