//! The interfaces of `playhouse:actor@0.1.0` beside `host`: state, timers, cryptography, settings, randomness, the time of day, the log
//! with fields.
//!
//! A component of any world may import them. Where a guest handles several events at a time, an operation is that of the event in
//! whose task the guest asks, and the others wait for it. Whatever a guest names or hands over is measured before it is copied, and
//! what breaks a rule is an error for the guest.

use playhouse_types::{ActorError, HostOp, HostReply};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Linker, LinkerInstance, Lower};

use super::types::Error;
use crate::wasm::guest::{Guest, perform};
use crate::wasm::memory::Memory;

mod crypto;
mod log;
mod settings;
mod state;
mod timers;

/// The interfaces, and the one whose types they use.
pub(in crate::wasm) const NAMES: &[&str] = &[
    "playhouse:actor/types@0.1.0",
    state::NAME,
    timers::NAME,
    crypto::NAME,
    settings::SETTINGS,
    settings::RANDOM,
    settings::CLOCK,
    log::NAME,
];

/// Offers them all.
pub(in crate::wasm) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    state::link(linker)?;
    timers::link(linker)?;
    crypto::link(linker)?;
    settings::link(linker)?;
    log::link(linker)
}

/// Offers an operation: `read` makes it of the function's parameters, `write` its result of what the host answers.
fn offer<P, R>(
    interface: &mut LinkerInstance<'_, Guest>,
    name: &str,
    read: fn(&Memory<'_>, P) -> Result<HostOp, ActorError>,
    write: fn(HostReply) -> Result<R, ActorError>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
    R: ComponentType + Lower + Send + 'static,
{
    interface.func_wrap_async(name, move |store: StoreContextMut<'_, Guest>, params: P| {
        Box::new(async move {
            let op = read(&Memory::of(&store), params);
            let reply = perform(store, op).await?;
            Ok((reply.and_then(write).map_err(|error| Error::from(&error)),))
        })
    })
}
