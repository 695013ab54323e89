use playhouse_abi::native::v2::event;
use playhouse_types::{ActorId, ErrorCategory, ErrorEvent, Event, RuntimeEvent, Timestamp};
use prost::Message;

use super::super::guest::{hook_number, id_len, peer, put_id, timestamp};
use super::error;
use crate::error::WireError;
use crate::fields::{self, Broken, Value, bytes_field_len, put_bytes, put_varint};
use crate::proto::{self, BackpressureEventV1, ErrorEventV2, RuntimeV2, TimestampV1};

/// An event on its way from the host to an instance, borrowing the bytes that it was read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventFrame<'a> {
    /// A number of `playhouse_abi::native::v2::event`.
    pub kind: u32,
    /// A number of `playhouse_abi::native::hook`; 0 for other kinds.
    pub hook: u32,
    /// An encoded `ActrId`; empty if there is no caller.
    pub caller: &'a [u8],
    /// Text.
    pub request_id: &'a [u8],
    /// Text.
    pub route: &'a [u8],
    /// The event's own message.
    pub payload: &'a [u8],
    /// Time until whoever waits gives up.
    pub time_left_ms: Option<u64>,
}

impl<'a> EventFrame<'a> {
    /// Reads a frame without copying.
    ///
    /// # Errors
    /// [`WireError::Undecodable`].
    pub fn read(mut bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut frame = Self::default();
        let broken = |Broken| WireError::Undecodable { what: "event" };
        while let Some(field) = fields::next(&mut bytes).map_err(broken)? {
            match field {
                (1, Value::Varint(value)) => frame.kind = value as u32,
                (2, Value::Varint(value)) => frame.hook = value as u32,
                (3, Value::Bytes(value)) => frame.caller = value,
                (4, Value::Bytes(value)) => frame.request_id = value,
                (5, Value::Bytes(value)) => frame.route = value,
                (6, Value::Bytes(value)) => frame.payload = value,
                (7, Value::Varint(value)) => frame.time_left_ms = Some(value),
                _ => {}
            }
        }
        Ok(frame)
    }
}

/// Writes an event into `out`, which is cleared first.
pub fn write_event(
    told: &Event,
    caller: Option<&ActorId>,
    request_id: &str,
    time_left_ms: Option<u64>,
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(&[0x08, kind_number(told) as u8]);
    if let Event::Runtime(event) = told {
        out.extend_from_slice(&[0x10, hook_number(event) as u8]);
    }
    let sender = if let Event::Chunk { sender, .. } = told { Some(sender) } else { caller };
    if let Some(id) = sender {
        out.reserve(bytes_field_len(id_len(id)));
        put_id(out, 0x1a, id);
    }
    put_bytes(out, 0x22, request_id.as_bytes());
    if let Some(ms) = time_left_ms {
        out.push(0x38);
        put_varint(out, ms);
    }
    match told {
        Event::Request { route, payload } => {
            put_bytes(out, 0x2a, route.as_str().as_bytes());
            put_bytes(out, 0x32, payload);
        }
        Event::Chunk { chunk, .. } => put_bytes(out, 0x32, &proto::DataStream::from(chunk).encode_to_vec()),
        Event::Start | Event::Ready | Event::Stop => {}
        Event::Error(event) => put_bytes(out, 0x32, &error_event(event).encode_to_vec()),
        Event::Runtime(event) => put_bytes(out, 0x32, &runtime(event).encode_to_vec()),
    }
}

/// Reads an event that a host has told, as the guest sees it: the kind, the hook and the payload.
///
/// # Errors
/// If the kind is unknown, or the bytes are not of that kind.
pub fn read_event(frame: &EventFrame<'_>) -> Result<Event, WireError> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| WireError::Undecodable { what: "route" });
    Ok(match frame.kind {
        event::REQUEST => {
            let route = text(frame.route)?.parse()?;
            Event::Request { route, payload: bytes::Bytes::copy_from_slice(frame.payload) }
        }
        event::CHUNK => {
            let chunk: proto::DataStream = decode(frame.payload, "chunk")?;
            let sender: proto::ActrId = decode(frame.caller, "sender")?;
            Event::Chunk { chunk: chunk.try_into()?, sender: (&sender).try_into()? }
        }
        event::START => Event::Start,
        event::READY => Event::Ready,
        event::STOP => Event::Stop,
        event::ERROR => Event::Error(parse_error_event(&decode(frame.payload, "error event")?)?),
        event::RUNTIME => Event::Runtime(parse_runtime(frame.hook, decode(frame.payload, "runtime event")?)?),
        kind => return Err(WireError::UnknownNumber { what: "kind of event", found: i64::from(kind) }),
    })
}

fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, WireError> {
    M::decode(bytes).map_err(|_| WireError::Undecodable { what })
}

const fn kind_number(told: &Event) -> u32 {
    match told {
        Event::Request { .. } => event::REQUEST,
        Event::Chunk { .. } => event::CHUNK,
        Event::Start => event::START,
        Event::Ready => event::READY,
        Event::Stop => event::STOP,
        Event::Error(_) => event::ERROR,
        Event::Runtime(_) => event::RUNTIME,
    }
}

const CATEGORIES: [(ErrorCategory, u32); 5] = [
    (ErrorCategory::HandlerPanic, 1),
    (ErrorCategory::HandlerError, 2),
    (ErrorCategory::SignalingFailure, 3),
    (ErrorCategory::TransportFailure, 4),
    (ErrorCategory::StreamDeliveryUncertain, 5),
];

fn error_event(event: &ErrorEvent) -> ErrorEventV2 {
    let category = CATEGORIES.iter().find(|(category, _)| *category == event.category).map_or(0, |(_, number)| *number);
    ErrorEventV2 {
        source: Some(error::message(&event.source)),
        category,
        context: event.context.clone(),
        timestamp: Some(timestamp(event.timestamp)),
    }
}

fn parse_error_event(message: &ErrorEventV2) -> Result<ErrorEvent, WireError> {
    let category = CATEGORIES.iter().find(|(_, number)| *number == message.category).map(|(category, _)| *category);
    Ok(ErrorEvent {
        source: error::parse(message.source.as_ref().ok_or(WireError::Missing { what: "error" })?),
        category: category
            .ok_or(WireError::UnknownNumber { what: "category of an error", found: i64::from(message.category) })?,
        context: message.context.clone(),
        timestamp: time(message.timestamp)?,
    })
}

fn runtime(event: &RuntimeEvent) -> RuntimeV2 {
    let mut message = RuntimeV2::default();
    match event {
        RuntimeEvent::SignalingConnecting | RuntimeEvent::SignalingConnected | RuntimeEvent::SignalingDisconnected => {}
        RuntimeEvent::WebsocketConnecting(event)
        | RuntimeEvent::WebsocketConnected(event)
        | RuntimeEvent::WebsocketDisconnected(event)
        | RuntimeEvent::WebrtcConnecting(event)
        | RuntimeEvent::WebrtcConnected(event)
        | RuntimeEvent::WebrtcDisconnected(event) => message.peer = Some(peer(event, event.relayed)),
        RuntimeEvent::CredentialRenewed { new_expiry } | RuntimeEvent::CredentialExpiring { new_expiry } => {
            message.new_expiry = Some(timestamp(*new_expiry));
        }
        RuntimeEvent::MailboxBackpressure { queue_len, threshold } => {
            message.backpressure = Some(BackpressureEventV1 { queue_len: *queue_len, threshold: *threshold });
        }
    }
    message
}

fn parse_runtime(hook: u32, message: RuntimeV2) -> Result<RuntimeEvent, WireError> {
    use playhouse_abi::native::hook;
    let expiry = || time(message.new_expiry);
    let peer = || {
        let event = message.peer.as_ref().ok_or(WireError::Missing { what: "peer event" })?;
        let peer = event.peer.as_ref().ok_or(WireError::Missing { what: "peer" })?.try_into()?;
        Ok::<_, WireError>(playhouse_types::PeerEvent { peer, relayed: event.relayed })
    };
    Ok(match hook {
        hook::SIGNALING_CONNECTING => RuntimeEvent::SignalingConnecting,
        hook::SIGNALING_CONNECTED => RuntimeEvent::SignalingConnected,
        hook::SIGNALING_DISCONNECTED => RuntimeEvent::SignalingDisconnected,
        hook::WEBSOCKET_CONNECTING => RuntimeEvent::WebsocketConnecting(peer()?),
        hook::WEBSOCKET_CONNECTED => RuntimeEvent::WebsocketConnected(peer()?),
        hook::WEBSOCKET_DISCONNECTED => RuntimeEvent::WebsocketDisconnected(peer()?),
        hook::WEBRTC_CONNECTING => RuntimeEvent::WebrtcConnecting(peer()?),
        hook::WEBRTC_CONNECTED => RuntimeEvent::WebrtcConnected(peer()?),
        hook::WEBRTC_DISCONNECTED => RuntimeEvent::WebrtcDisconnected(peer()?),
        hook::CREDENTIAL_RENEWED => RuntimeEvent::CredentialRenewed { new_expiry: expiry()? },
        hook::CREDENTIAL_EXPIRING => RuntimeEvent::CredentialExpiring { new_expiry: expiry()? },
        hook::MAILBOX_BACKPRESSURE => {
            let full = message.backpressure.ok_or(WireError::Missing { what: "backpressure event" })?;
            RuntimeEvent::MailboxBackpressure { queue_len: full.queue_len, threshold: full.threshold }
        }
        number => return Err(WireError::UnknownNumber { what: "hook", found: i64::from(number) }),
    })
}

fn time(message: Option<TimestampV1>) -> Result<Timestamp, WireError> {
    let at = message.ok_or(WireError::Missing { what: "time" })?;
    Ok(Timestamp::clamped(at.seconds, at.nanoseconds))
}
