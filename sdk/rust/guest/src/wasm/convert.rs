//! Between the WIT's types, which prove nothing, and those of `playhouse-types`.

use playhouse_types::{
    ActorError, ActorId, ActorType, Code, DataChunk, Dest, ErrorCategory, ErrorEvent, ErrorKind, LogLevel, ParseError,
    PayloadClass, PeerEvent, Realm, RuntimeEvent, Serial, Timestamp,
};

use super::bindings::playhouse::actor::types as wit;

/// The host handed over a text that breaks a rule.
pub(super) fn malformed(error: ParseError) -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::MalformedOperation, error.to_string())
}

pub(super) fn id_in(id: wit::ActorId) -> Result<ActorId, ActorError> {
    Ok(ActorId::new(Realm::new(id.realm), Serial::new(id.serial), type_in(&id.actor_type)?))
}

fn type_in(actor_type: &wit::ActorType) -> Result<ActorType, ActorError> {
    Ok(ActorType::new(
        actor_type.manufacturer.parse().map_err(malformed)?,
        actor_type.name.parse().map_err(malformed)?,
        actor_type.version.parse().map_err(malformed)?,
    ))
}

pub(super) fn type_out(actor_type: &ActorType) -> wit::ActorType {
    wit::ActorType {
        manufacturer: actor_type.manufacturer().as_str().to_owned(),
        name: actor_type.name().as_str().to_owned(),
        version: actor_type.version().as_str().to_owned(),
    }
}

pub(super) const fn level_out(level: LogLevel) -> wit::LogLevel {
    match level {
        LogLevel::Trace => wit::LogLevel::Trace,
        LogLevel::Debug => wit::LogLevel::Debug,
        LogLevel::Info => wit::LogLevel::Info,
        LogLevel::Warn => wit::LogLevel::Warn,
        LogLevel::Error => wit::LogLevel::Error,
    }
}

pub(super) fn dest_out(dest: &Dest) -> wit::Dest {
    match dest {
        Dest::Shell => wit::Dest::Shell,
        Dest::Local => wit::Dest::Local,
        Dest::Actor(id) => wit::Dest::Actor(wit::ActorId {
            realm: id.realm().number(),
            serial: id.serial().number(),
            actor_type: type_out(id.actor_type()),
        }),
    }
}

pub(super) fn class_out(class: PayloadClass) -> Result<wit::PayloadClass, ActorError> {
    match class {
        PayloadClass::StreamReliable => Ok(wit::PayloadClass::StreamReliable),
        PayloadClass::StreamLatencyFirst => Ok(wit::PayloadClass::StreamLatencyFirst),
        other => {
            let text = format!("chunks do not travel as {other:?}");
            Err(ActorError::coded(ErrorKind::InvalidArgument, Code::StreamClass, text))
        }
    }
}

pub(super) fn chunk_out(chunk: DataChunk) -> wit::DataChunk {
    wit::DataChunk {
        stream_id: chunk.stream_id.as_str().to_owned(),
        sequence: chunk.sequence,
        payload: chunk.payload.into(),
        metadata: chunk.metadata.into_iter().map(|(key, value)| wit::MetadataEntry { key, value }).collect(),
        timestamp_ms: chunk.timestamp_ms,
    }
}

pub(super) fn chunk_in(chunk: wit::DataChunk) -> Result<DataChunk, ActorError> {
    Ok(DataChunk {
        stream_id: chunk.stream_id.parse().map_err(malformed)?,
        sequence: chunk.sequence,
        payload: chunk.payload.into(),
        metadata: chunk.metadata.into_iter().map(|entry| (entry.key, entry.value)).collect(),
        timestamp_ms: chunk.timestamp_ms,
    })
}

macro_rules! error_kinds {
    ($($kind:ident),* $(,)?) => {
        fn kind_in(kind: wit::ErrorKind) -> ErrorKind {
            match kind { $(wit::ErrorKind::$kind => ErrorKind::$kind,)* }
        }

        fn kind_out(kind: ErrorKind) -> wit::ErrorKind {
            match kind {
                $(ErrorKind::$kind => wit::ErrorKind::$kind,)*
                _ => wit::ErrorKind::Internal,
            }
        }
    };
}
error_kinds!(
    Unavailable,
    TimedOut,
    NotFound,
    PermissionDenied,
    InvalidArgument,
    UnknownRoute,
    DependencyNotFound,
    DecodeFailure,
    NotImplemented,
    Internal,
    ConnectionNotReady,
);

/// A code that this guest does not know is dropped: it belongs to a newer host.
pub(super) fn error_in(error: wit::Error) -> ActorError {
    let code = Code::from_text(&error.code).unwrap_or(Code::Unspecified);
    let known = match (kind_in(error.kind), error.service) {
        (ErrorKind::DependencyNotFound, Some(service)) => ActorError::dependency_not_found(service, error.message),
        (ErrorKind::ConnectionNotReady, _) => ActorError::connection_not_ready(error.retry_after_ms, error.message),
        (kind, _) => ActorError::new(kind, error.message),
    };
    known.with_code(code)
}

pub(super) fn error_out(error: &ActorError) -> wit::Error {
    let code = match error.code() {
        Code::Unspecified => String::new(),
        code => code.text().to_owned(),
    };
    wit::Error {
        kind: kind_out(error.kind()),
        code,
        message: error.message().to_owned(),
        service: error.service().map(str::to_owned),
        retry_after_ms: error.retry_after_ms(),
    }
}

pub(super) fn error_event(event: wit::ErrorEvent) -> ErrorEvent {
    let category = match event.category {
        wit::ErrorCategory::HandlerPanic => ErrorCategory::HandlerPanic,
        wit::ErrorCategory::HandlerError => ErrorCategory::HandlerError,
        wit::ErrorCategory::SignalingFailure => ErrorCategory::SignalingFailure,
        wit::ErrorCategory::TransportFailure => ErrorCategory::TransportFailure,
        wit::ErrorCategory::StreamDeliveryUncertain => ErrorCategory::StreamDeliveryUncertain,
    };
    ErrorEvent { source: error_in(event.source), category, context: event.context, timestamp: time(event.timestamp) }
}

pub(super) fn runtime_event(event: wit::RuntimeEvent) -> Result<RuntimeEvent, ActorError> {
    use wit::RuntimeEvent as In;
    Ok(match event {
        In::SignalingConnecting => RuntimeEvent::SignalingConnecting,
        In::SignalingConnected => RuntimeEvent::SignalingConnected,
        In::SignalingDisconnected => RuntimeEvent::SignalingDisconnected,
        In::WebsocketConnecting(event) => RuntimeEvent::WebsocketConnecting(peer(event)?),
        In::WebsocketConnected(event) => RuntimeEvent::WebsocketConnected(peer(event)?),
        In::WebsocketDisconnected(event) => RuntimeEvent::WebsocketDisconnected(peer(event)?),
        In::WebrtcConnecting(event) => RuntimeEvent::WebrtcConnecting(peer(event)?),
        In::WebrtcConnected(event) => RuntimeEvent::WebrtcConnected(peer(event)?),
        In::WebrtcDisconnected(event) => RuntimeEvent::WebrtcDisconnected(peer(event)?),
        In::CredentialRenewed(at) => RuntimeEvent::CredentialRenewed { new_expiry: time(at) },
        In::CredentialExpiring(at) => RuntimeEvent::CredentialExpiring { new_expiry: time(at) },
        In::MailboxBackpressure(full) => {
            RuntimeEvent::MailboxBackpressure { queue_len: full.queue_len, threshold: full.threshold }
        }
    })
}

fn peer(event: wit::PeerEvent) -> Result<PeerEvent, ActorError> {
    Ok(PeerEvent { peer: id_in(event.peer)?, relayed: event.relayed })
}

pub(super) fn time(at: wit::Timestamp) -> Timestamp {
    Timestamp::clamped(at.seconds, at.nanoseconds)
}

pub(super) fn time_out(at: Timestamp) -> wit::Timestamp {
    wit::Timestamp { seconds: at.seconds(), nanoseconds: at.nanoseconds() }
}
