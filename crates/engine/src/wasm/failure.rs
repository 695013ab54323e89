use std::fmt::Write as _;
use std::time::Duration;

use playhouse_types::{ActorError, Code, ErrorKind};
use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::budget::Refused;

/// Frames of a guest's stack that an error shows: enough to find the place, and an error stays one screen.
const FRAMES_MAX: usize = 8;

/// A limit or rule that a guest broke, for which the engine ended it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum LimitBroken {
    /// The guest computed too long in one event.
    #[error("the guest computed longer than {limit:?} in one event")]
    Cpu { limit: Duration },
    /// The guest asked its host too often in one event.
    #[error("the guest asked for more than {limit} host operations in one event")]
    HostCalls { limit: u32 },
    /// The guest asked something that only makes sense while it handles an event.
    #[error("the guest asked for its invocation while it handles no event")]
    NoInvocation,
}

impl LimitBroken {
    fn code(&self) -> Code {
        match self {
            Self::Cpu { .. } => Code::GuestCpuLimit,
            Self::HostCalls { .. } => Code::GuestHostCallLimit,
            Self::NoInvocation => Code::GuestProtocol,
        }
    }
}

/// Says why a guest was lost, with the rule that it broke and where it was.
pub(super) fn crash(error: &wasmtime::Error, refused: Option<Refused>) -> ActorError {
    let (code, mut message) = reason(error, refused);
    if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
        append_frames(&mut message, trace);
    }
    ActorError::coded(ErrorKind::Internal, code, message)
}

/// Says why an instance could not be made: a limit, or what happened while its code initialised.
pub(super) fn not_created(error: &wasmtime::Error, refused: Option<Refused>) -> ActorError {
    let ran = error.is::<LimitBroken>() || error.is::<I32Exit>() || error.is::<Trap>();
    if ran || refused.is_some() {
        return crash(error, refused);
    }
    let message = format!("the component cannot be instantiated: {}", error.root_cause());
    ActorError::coded(ErrorKind::Unavailable, Code::WasmInstantiate, message)
}

/// Says that the code of an instance that is being made waits for something that does not come.
pub(super) fn too_slow(limit: Duration) -> ActorError {
    let message = format!("making an instance took longer than {limit:?}");
    ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, message)
}

fn reason(error: &wasmtime::Error, refused: Option<Refused>) -> (Code, String) {
    if let Some(broken) = error.downcast_ref::<LimitBroken>() {
        return (broken.code(), broken.to_string());
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (Code::GuestExit, format!("the guest exited with status {}", exit.0));
    }
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::StackOverflow) {
        return (Code::GuestStackLimit, "the guest's stack is full".into());
    }
    match refused {
        Some(Refused::Memory { wanted, limit }) => {
            return (
                Code::GuestMemoryLimit,
                format!("the guest wanted {wanted} bytes of memory, the limit is {limit}"),
            );
        }
        Some(Refused::Table { wanted, limit }) => {
            let message = format!("the guest wanted {wanted} table elements, the limit is {limit}");
            return (Code::GuestMemoryLimit, message);
        }
        None => {}
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let message = "the guest holds more handles, tasks and operations under way than its host keeps for one";
        return (Code::GuestHostCallLimit, message.into());
    }
    if let Some(trap) = trap {
        return (Code::GuestTrap, format!("the guest trapped: {trap}"));
    }
    let cause = error.root_cause().to_string();
    // wasmtime has no type for this error.
    if cause.contains("fuel allocated for hostcalls") {
        return (Code::GuestReplyLimit, "the guest gave its host more bytes at once than it may".into());
    }
    (Code::GuestProtocol, format!("the guest broke its ABI: {cause}"))
}

fn append_frames(message: &mut String, trace: &WasmBacktrace) {
    let frames = trace.frames();
    for frame in frames.iter().take(FRAMES_MAX) {
        let name = frame.func_name().map(shortened);
        // INVARIANT: writing to a string does not fail.
        let _ = match name {
            Some(name) => write!(message, "; at {name}"),
            None => write!(message, "; at function {}", frame.func_index()),
        };
    }
    if frames.len() > FRAMES_MAX {
        let _ = write!(message, "; and {} more", frames.len() - FRAMES_MAX);
    }
}

/// Bytes of one frame's name: generic Rust names are long, and their beginning says where.
const NAME_BYTES_MAX: usize = 120;

fn shortened(name: &str) -> &str {
    let end = (0..=NAME_BYTES_MAX).rev().find(|&n| name.is_char_boundary(n)).unwrap_or(0);
    &name[..end.min(name.len())]
}
