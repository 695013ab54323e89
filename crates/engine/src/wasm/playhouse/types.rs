//! The types of `playhouse:actor/types@0.1.0`, as they cross the border.

use playhouse_types as ours;
use playhouse_types::{ActorError, Code};
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::wasm::ids::IdText;
use crate::wasm::values::ActorType;

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct ActorId {
    realm: u32,
    serial: u64,
    #[component(name = "actor-type")]
    actor_type: ActorType,
}

impl From<IdText> for ActorId {
    fn from(id: IdText) -> Self {
        let actor_type = ActorType { manufacturer: id.manufacturer, name: id.name, version: id.version };
        Self { realm: id.realm, serial: id.serial, actor_type }
    }
}

impl From<&ours::ActorId> for ActorId {
    fn from(id: &ours::ActorId) -> Self {
        IdText::from(id).into()
    }
}

impl TryFrom<ActorId> for ours::ActorId {
    type Error = ActorError;

    fn try_from(id: ActorId) -> Result<Self, ActorError> {
        Ok(Self::new(ours::Realm::new(id.realm), ours::Serial::new(id.serial), id.actor_type.try_into()?))
    }
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(variant)]
pub(super) enum Dest {
    #[component(name = "shell")]
    Shell,
    #[component(name = "local")]
    Local,
    #[component(name = "actor")]
    Actor(ActorId),
}

impl TryFrom<Dest> for ours::Dest {
    type Error = ActorError;

    fn try_from(dest: Dest) -> Result<Self, ActorError> {
        Ok(match dest {
            Dest::Shell => Self::Shell,
            Dest::Local => Self::Local,
            Dest::Actor(id) => Self::Actor(id.try_into()?),
        })
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "wasmtime makes the values")]
pub(super) enum PayloadClass {
    #[component(name = "stream-reliable")]
    StreamReliable,
    #[component(name = "stream-latency-first")]
    StreamLatencyFirst,
}

impl From<PayloadClass> for ours::PayloadClass {
    fn from(class: PayloadClass) -> Self {
        match class {
            PayloadClass::StreamReliable => Self::StreamReliable,
            PayloadClass::StreamLatencyFirst => Self::StreamLatencyFirst,
        }
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "wasmtime makes the values")]
pub(super) enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl From<Level> for ours::LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum ErrorKind {
    #[component(name = "unavailable")]
    Unavailable,
    #[component(name = "timed-out")]
    TimedOut,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "permission-denied")]
    PermissionDenied,
    #[component(name = "invalid-argument")]
    InvalidArgument,
    #[component(name = "unknown-route")]
    UnknownRoute,
    #[component(name = "dependency-not-found")]
    DependencyNotFound,
    #[component(name = "decode-failure")]
    DecodeFailure,
    #[component(name = "not-implemented")]
    NotImplemented,
    #[component(name = "internal")]
    Internal,
    #[component(name = "connection-not-ready")]
    ConnectionNotReady,
}

impl From<ours::ErrorKind> for ErrorKind {
    fn from(kind: ours::ErrorKind) -> Self {
        match kind {
            ours::ErrorKind::Unavailable => Self::Unavailable,
            ours::ErrorKind::TimedOut => Self::TimedOut,
            ours::ErrorKind::NotFound => Self::NotFound,
            ours::ErrorKind::PermissionDenied => Self::PermissionDenied,
            ours::ErrorKind::InvalidArgument => Self::InvalidArgument,
            ours::ErrorKind::UnknownRoute => Self::UnknownRoute,
            ours::ErrorKind::DependencyNotFound => Self::DependencyNotFound,
            ours::ErrorKind::DecodeFailure => Self::DecodeFailure,
            ours::ErrorKind::NotImplemented => Self::NotImplemented,
            ours::ErrorKind::ConnectionNotReady => Self::ConnectionNotReady,
            _ => Self::Internal,
        }
    }
}

impl From<ErrorKind> for ours::ErrorKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::PermissionDenied => Self::PermissionDenied,
            ErrorKind::InvalidArgument => Self::InvalidArgument,
            ErrorKind::UnknownRoute => Self::UnknownRoute,
            ErrorKind::DependencyNotFound => Self::DependencyNotFound,
            ErrorKind::DecodeFailure => Self::DecodeFailure,
            ErrorKind::NotImplemented => Self::NotImplemented,
            ErrorKind::Internal => Self::Internal,
            ErrorKind::ConnectionNotReady => Self::ConnectionNotReady,
        }
    }
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Error {
    kind: ErrorKind,
    code: String,
    message: String,
    service: Option<String>,
    #[component(name = "retry-after-ms")]
    retry_after_ms: Option<u64>,
}

impl From<&ActorError> for Error {
    fn from(error: &ActorError) -> Self {
        let code = match error.code() {
            Code::Unspecified => String::new(),
            code => code.text().to_owned(),
        };
        Self {
            kind: error.kind().into(),
            code,
            message: error.message().to_owned(),
            service: error.service().map(str::to_owned),
            retry_after_ms: error.retry_after_ms(),
        }
    }
}

impl From<Error> for ActorError {
    /// A code that this host does not know is dropped: it belongs to a newer one.
    fn from(error: Error) -> Self {
        let code = Code::from_text(&error.code).unwrap_or(Code::Unspecified);
        let kind = ours::ErrorKind::from(error.kind);
        match (kind, error.service) {
            (ours::ErrorKind::DependencyNotFound, Some(service)) => {
                Self::dependency_not_found(service, error.message).with_code(code)
            }
            (ours::ErrorKind::ConnectionNotReady, _) => {
                Self::connection_not_ready(error.retry_after_ms, error.message).with_code(code)
            }
            (kind, _) => Self::coded(kind, code, error.message),
        }
    }
}
