//! Host operations that a component imports only if it uses them; see the module of the same name for wasm. Everywhere else they
//! go the way of all operations.

use playhouse_types::{CryptoOp, HostOp, Label, LogLevel, LogText, StateOp, TimerOp};

use super::{Backend, Operation};

pub(crate) fn state(backend: &dyn Backend, op: StateOp) -> Operation {
    backend.perform(HostOp::State(op))
}

pub(crate) fn timer(backend: &dyn Backend, op: TimerOp) -> Operation {
    backend.perform(HostOp::Timer(op))
}

pub(crate) fn crypto(backend: &dyn Backend, op: CryptoOp) -> Operation {
    backend.perform(HostOp::Crypto(op))
}

pub(crate) fn config(backend: &dyn Backend, name: &Label) -> Operation {
    backend.perform(HostOp::Config { name: name.clone() })
}

pub(crate) fn secret(backend: &dyn Backend, name: &Label) -> Operation {
    backend.perform(HostOp::Secret { name: name.clone() })
}

pub(crate) fn random(backend: &dyn Backend, bytes: u32) -> Operation {
    backend.perform(HostOp::Random { bytes })
}

pub(crate) fn now(backend: &dyn Backend) -> Operation {
    backend.perform(HostOp::Now)
}

/// The fields travel within the text.
pub(crate) fn log(backend: &dyn Backend, level: LogLevel, text: &LogText) {
    backend.log(level, &text.encode());
}
