//! `playhouse:actor/log@0.1.0`.

use playhouse_types::{ActorError, LOG_FIELDS_MAX, LogText};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, WasmStr};

use crate::wasm::guest::{Guest, say};
use crate::wasm::memory::Memory;
use crate::wasm::playhouse::types::Level;

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/log@0.1.0";

#[derive(ComponentType, Lift)]
#[component(record)]
struct Field {
    name: WasmStr,
    value: WasmStr,
}

type Line = (Level, WasmStr, Vec<Field>);

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(NAME)?.func_wrap("write", |mut store: StoreContextMut<'_, Guest>, (level, text, fields): Line| {
        // There is no result to say it in.
        let broken = |error: ActorError| wasmtime::Error::msg(error.message().to_owned());
        let line = read(&Memory::of(&store), &text, &fields).map_err(broken)?;
        say(&mut store, level.into(), &line.encode())
    })
}

fn read(memory: &Memory<'_>, text: &WasmStr, fields: &[Field]) -> Result<LogText, ActorError> {
    let line = memory.text(text, |text| Ok(LogText::new(text)))?;
    fields.iter().take(LOG_FIELDS_MAX).try_fold(line, |line, Field { name, value }| {
        memory.text(name, |name| memory.text(value, |value| Ok(line.with(name, value))))
    })
}
