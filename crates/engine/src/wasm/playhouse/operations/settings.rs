//! `playhouse:actor/settings@0.1.0`, `random` and `clock`.

use playhouse_types::{ActorError, ErrorKind, HostOp, HostReply};
use wasmtime::component::{Linker, WasmStr};

use super::offer;
use crate::wasm::guest::Guest;
use crate::wasm::replies;
use crate::wasm::values::Timestamp;

/// The interfaces' names.
pub(super) const SETTINGS: &str = "playhouse:actor/settings@0.1.0";
pub(super) const RANDOM: &str = "playhouse:actor/random@0.1.0";
pub(super) const CLOCK: &str = "playhouse:actor/clock@0.1.0";

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let settings = &mut linker.instance(SETTINGS)?;
    offer(settings, "config", |memory, (name,): (WasmStr,)| Ok(HostOp::Config { name: memory.label(&name)? }), text)?;
    offer(settings, "secret", |memory, (name,): (WasmStr,)| Ok(HostOp::Secret { name: memory.label(&name)? }), secret)?;
    offer(&mut linker.instance(RANDOM)?, "bytes", |_, (bytes,): (u32,)| Ok(HostOp::Random { bytes }), replies::bytes)?;
    offer(&mut linker.instance(CLOCK)?, "now", |_, (): ()| Ok(HostOp::Now), now)
}

fn text(reply: HostReply) -> Result<Option<String>, ActorError> {
    let text = replies::maybe(reply)?.map(|value| String::from_utf8(value.into()));
    text.transpose().map_err(|_| ActorError::new(ErrorKind::DecodeFailure, "the setting is not UTF-8"))
}

fn secret(reply: HostReply) -> Result<Option<Vec<u8>>, ActorError> {
    Ok(replies::maybe(reply)?.map(Vec::from))
}

fn now(reply: HostReply) -> Result<Timestamp, ActorError> {
    replies::time(reply).map(Timestamp::from)
}
