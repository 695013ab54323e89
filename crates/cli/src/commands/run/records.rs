//! What a node knows, in the words of the control socket.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use playhouse_node::{ActorState, ActorStatus, DeadLetter, LogLine, NodeError};
use playhouse_types::{ActorError, Code, ErrorKind};
use serde::Serialize;

use crate::control::protocol::{
    ActorInfo, DeadLetterInfo, LISTED_ERROR_BYTES_MAX, LogRecord, PAYLOAD_BYTES_MAX, Payload, Response,
    WholeDeadLetter, WireError,
};
use crate::output::cut;

/// What a request is answered with.
pub(super) type Answer = Result<serde_json::Value, WireError>;

pub(super) fn json(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| ActorError::new(ErrorKind::Internal, error.to_string()).into())
}

pub(super) fn wire(error: NodeError) -> WireError {
    let kind = match &error {
        NodeError::NoDeadLetter { .. } | NodeError::NoActor { .. } => ErrorKind::NotFound,
        NodeError::Start { source, .. } => source.kind(),
        NodeError::NotParked { .. } => ErrorKind::InvalidArgument,
        _ => ErrorKind::Unavailable,
    };
    let fix = match &error {
        NodeError::NoDeadLetter { .. } => Some("`playhouse dlq list` lists them; the oldest make room for new ones."),
        NodeError::NotParked { .. } => Some("Only parked actors are resumed; `playhouse ps` shows which those are."),
        _ => None,
    };
    WireError { fix: fix.map(str::to_owned), ..ActorError::coded(kind, error.code(), error.to_string()).into() }
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A log line as it travels.
pub(super) fn log_record(line: &LogLine) -> LogRecord {
    LogRecord {
        time_ms: millis(line.time),
        actor: line.actor.to_string(),
        level: line.level.name().to_owned(),
        text: line.text.clone(),
    }
}

pub(super) fn record(line: &LogLine) -> Response {
    json(&log_record(line)).map_or_else(Response::Error, Response::Ok)
}

/// A payload, if one line can hold it; nodes may allow larger messages.
pub(super) fn fits_a_line(what: &str, payload: Bytes) -> Result<Payload, WireError> {
    if payload.len() <= PAYLOAD_BYTES_MAX {
        return Ok(Payload(payload));
    }
    let text = format!("{what} has {} bytes; the control socket carries {PAYLOAD_BYTES_MAX}", payload.len());
    Err(ActorError::coded(ErrorKind::InvalidArgument, Code::MessageTooLarge, text).into())
}

pub(super) fn whole_letter(letter: DeadLetter) -> Answer {
    let info = letter_info(&letter);
    json(&WholeDeadLetter { info, payload: fits_a_line("the dead letter", letter.payload)? })
}

/// A dead letter in a list.
pub(super) fn listed_letter(letter: &DeadLetter) -> Response {
    let mut info = letter_info(letter);
    cut(&mut info.error, LISTED_ERROR_BYTES_MAX);
    json(&info).map_or_else(Response::Error, Response::Ok)
}

fn letter_info(letter: &DeadLetter) -> DeadLetterInfo {
    DeadLetterInfo {
        id: letter.number,
        time_ms: millis(letter.time),
        actor: letter.to.to_string(),
        route: letter.route.to_string(),
        caller: letter.from.as_ref().map(ToString::to_string),
        attempts: letter.attempts,
        error: letter.cause.to_text(),
        bytes: letter.payload.len() as u64,
    }
}

/// An actor as `ps` shows it.
pub(super) fn actor_info(actor: &ActorStatus) -> ActorInfo {
    let parked = match &actor.state {
        ActorState::Parked { cause } => Some(cause),
        _ => None,
    };
    ActorInfo {
        id: Some(actor.id.to_string()),
        actor_type: actor.id.actor_type().to_string(),
        engine: actor.engine.name().to_owned(),
        state: actor.state.name().to_owned(),
        mailbox: actor.queued as u64,
        handled: actor.tallies.handled,
        failed: actor.tallies.failed,
        restarts: actor.tallies.crashes,
        p50_us: actor.median.map(|median| median.as_secs_f64() * 1e6),
        last_error: parked.or(actor.last_crash.as_ref()).map(ActorError::to_text),
        package: actor.package.clone(),
    }
}
