//! `playhouse:actor/timers@0.1.0`.

use std::time::Duration;

use playhouse_types::{self as ours, ActorError, HostOp, Timer, TimerOp};
use wasmtime::component::{ComponentType, Lift, Linker, WasmList, WasmStr};

use super::offer;
use crate::wasm::guest::Guest;
use crate::wasm::memory::{Memory, too_large};
use crate::wasm::replies;
use crate::wasm::values::Timestamp;

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/timers@0.1.0";

/// Bytes of a cron expression. Six fields that list every value they can have take some 500.
const CRON_BYTES_MAX: usize = 1024;

#[derive(ComponentType, Lift)]
#[component(variant)]
enum Schedule {
    #[component(name = "after-ms")]
    AfterMs(u64),
    #[component(name = "at")]
    At(Timestamp),
    #[component(name = "every-ms")]
    EveryMs(u64),
    #[component(name = "cron")]
    Cron(WasmStr),
}

impl Schedule {
    fn read(&self, memory: &Memory<'_>) -> Result<ours::Schedule, ActorError> {
        Ok(match self {
            Self::AfterMs(ms) => ours::Schedule::After(Duration::from_millis(*ms)),
            Self::At(time) => ours::Schedule::At((*time).into()),
            Self::EveryMs(ms) => ours::Schedule::Every(Duration::from_millis(*ms)),
            Self::Cron(text) => memory.text(text, |text| match text.len() {
                0..=CRON_BYTES_MAX => Ok(ours::Schedule::Cron(text.to_owned())),
                bytes => Err(too_large("a cron expression", bytes, CRON_BYTES_MAX)),
            })?,
        })
    }
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let timers = &mut linker.instance(NAME)?;
    offer(
        timers,
        "set",
        |memory, (name, schedule, route, payload): (WasmStr, Schedule, WasmStr, WasmList<u8>)| {
            let (name, schedule) = (memory.label(&name)?, schedule.read(memory)?);
            let timer = Timer { name, schedule, route: memory.route(&route)?, payload: memory.bytes(&payload) };
            Ok(HostOp::Timer(TimerOp::Set(timer)))
        },
        replies::done,
    )?;
    offer(
        timers,
        "cancel",
        |memory, (name,): (WasmStr,)| Ok(HostOp::Timer(TimerOp::Cancel { name: memory.label(&name)? })),
        replies::done,
    )
}
