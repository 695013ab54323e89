use playhouse_abi::native::{ABI_VERSION, hook, lifecycle, op};
use playhouse_types::{ActorId, ActorType, DataChunk, PeerEvent, RuntimeEvent, Timestamp};
use prost::Message;

use super::frame::{write_frame, write_frame_head};
use crate::fields::{bytes_field_len, put_bytes, put_head, put_varint, varint_len};
use crate::proto;

/// What `actr_init` is given for an actor of that type.
#[must_use]
pub fn init_payload(actor_type: &ActorType) -> Vec<u8> {
    proto::InitPayloadV1 { version: ABI_VERSION, actr_type: actor_type.to_string(), ..Default::default() }
        .encode_to_vec()
}

/// A request, ready to be written.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The actor that asks; none for the embedding application.
    pub caller: Option<&'a ActorId>,
    /// The request's id as text.
    pub request_id: &'a str,
    /// The method.
    pub route: &'a str,
    /// The encoded request message.
    pub payload: &'a [u8],
    /// How long the caller waits; 0 if nobody does.
    pub timeout_ms: i64,
    /// The context of guests that call from threads of their own; 0 for the others.
    pub bridge_token: u64,
}

/// Writes the frames of one actor. Each call clears `out` and leaves exactly one frame in it.
#[derive(Debug, Clone)]
pub struct GuestFrames {
    self_id: proto::ActrId,
    /// The first field of every invocation context.
    self_field: Box<[u8]>,
}

impl GuestFrames {
    /// The frames for an actor.
    #[must_use]
    pub fn new(self_id: &ActorId) -> Self {
        let mut field = Vec::new();
        put_id(&mut field, 0x0a, self_id);
        Self { self_id: self_id.into(), self_field: field.into() }
    }

    /// Writes GUEST_HANDLE, in one pass and without intermediate copies.
    pub fn request(&self, request: &Request<'_>, out: &mut Vec<u8>) {
        let context_len = self.self_field.len()
            + request.caller.map_or(0, |caller| bytes_field_len(id_len(caller)))
            + optional_len(request.request_id.len());
        let timeout = request.timeout_ms.cast_unsigned();
        let envelope_len = bytes_field_len(request.route.len())
            + bytes_field_len(request.payload.len())
            + (1 + bytes_field_len(request.request_id.len()))
            + (2 + varint_len(timeout));
        let token_len = if request.bridge_token == 0 { 0 } else { 1 + varint_len(request.bridge_token) };
        write_frame_head(
            op::GUEST_HANDLE,
            bytes_field_len(context_len) + bytes_field_len(envelope_len) + token_len,
            out,
        );
        put_head(out, 0x0a, context_len);
        out.extend_from_slice(&self.self_field);
        if let Some(caller) = request.caller {
            put_id(out, 0x12, caller);
        }
        if !request.request_id.is_empty() {
            put_bytes(out, 0x1a, request.request_id.as_bytes());
        }
        put_head(out, 0x12, envelope_len);
        put_bytes(out, 0x0a, request.route.as_bytes());
        put_bytes(out, 0x12, request.payload);
        out.push(0xb2);
        put_bytes(out, 0x06, request.request_id.as_bytes());
        out.extend_from_slice(&[0xc0, 0x06]);
        put_varint(out, timeout);
        if token_len > 0 {
            out.push(0x18);
            put_varint(out, request.bridge_token);
        }
    }

    /// Writes GUEST_DATA_STREAM.
    pub fn chunk(&self, chunk: &DataChunk, sender: &ActorId, bridge_token: u64, out: &mut Vec<u8>) {
        let message = proto::GuestDataStreamV1 { chunk: Some(chunk.into()), sender: Some(sender.into()), bridge_token };
        write_frame(op::GUEST_DATA_STREAM, &message, out);
    }

    /// Writes GUEST_LIFECYCLE for on start.
    pub fn start(&self, bridge_token: u64, out: &mut Vec<u8>) {
        self.lifecycle(lifecycle::ON_START, "lifecycle:on_start", bridge_token, out);
    }

    /// Writes GUEST_LIFECYCLE for on ready.
    pub fn ready(&self, bridge_token: u64, out: &mut Vec<u8>) {
        self.lifecycle(lifecycle::ON_READY, "lifecycle:on_ready", bridge_token, out);
    }

    /// Writes GUEST_LIFECYCLE for on stop.
    pub fn stop(&self, bridge_token: u64, out: &mut Vec<u8>) {
        self.lifecycle(lifecycle::ON_STOP, "lifecycle:on_stop", bridge_token, out);
    }

    fn lifecycle(&self, hook: u32, request_id: &str, bridge_token: u64, out: &mut Vec<u8>) {
        let message = proto::GuestLifecycleV1 { ctx: Some(self.context(request_id)), hook, bridge_token };
        write_frame(op::GUEST_LIFECYCLE, &message, out);
    }

    /// Writes GUEST_HOOK.
    pub fn runtime(&self, event: &RuntimeEvent, bridge_token: u64, out: &mut Vec<u8>) {
        let mut message = proto::GuestHookV1 {
            ctx: Some(self.context(event.hook_name())),
            hook: hook_number(event),
            bridge_token,
            ..Default::default()
        };
        match event {
            RuntimeEvent::SignalingConnecting
            | RuntimeEvent::SignalingConnected
            | RuntimeEvent::SignalingDisconnected => {}
            RuntimeEvent::WebrtcConnected(event) => message.peer = Some(peer(event, event.relayed)),
            RuntimeEvent::WebsocketConnecting(event)
            | RuntimeEvent::WebsocketConnected(event)
            | RuntimeEvent::WebsocketDisconnected(event)
            | RuntimeEvent::WebrtcConnecting(event)
            | RuntimeEvent::WebrtcDisconnected(event) => message.peer = Some(peer(event, None)),
            RuntimeEvent::CredentialRenewed { new_expiry } | RuntimeEvent::CredentialExpiring { new_expiry } => {
                message.credential = Some(proto::CredentialEventV1 { new_expiry: Some(timestamp(*new_expiry)) });
            }
            RuntimeEvent::MailboxBackpressure { queue_len, threshold } => {
                message.backpressure =
                    Some(proto::BackpressureEventV1 { queue_len: *queue_len, threshold: *threshold });
            }
        }
        write_frame(op::GUEST_HOOK, &message, out);
    }

    fn context(&self, request_id: &str) -> proto::InvocationContextV1 {
        proto::InvocationContextV1 {
            self_id: Some(self.self_id.clone()),
            caller_id: None,
            request_id: request_id.to_owned(),
        }
    }
}

pub(super) const fn hook_number(event: &RuntimeEvent) -> u32 {
    match event {
        RuntimeEvent::SignalingConnecting => hook::SIGNALING_CONNECTING,
        RuntimeEvent::SignalingConnected => hook::SIGNALING_CONNECTED,
        RuntimeEvent::SignalingDisconnected => hook::SIGNALING_DISCONNECTED,
        RuntimeEvent::WebsocketConnecting(_) => hook::WEBSOCKET_CONNECTING,
        RuntimeEvent::WebsocketConnected(_) => hook::WEBSOCKET_CONNECTED,
        RuntimeEvent::WebsocketDisconnected(_) => hook::WEBSOCKET_DISCONNECTED,
        RuntimeEvent::WebrtcConnecting(_) => hook::WEBRTC_CONNECTING,
        RuntimeEvent::WebrtcConnected(_) => hook::WEBRTC_CONNECTED,
        RuntimeEvent::WebrtcDisconnected(_) => hook::WEBRTC_DISCONNECTED,
        RuntimeEvent::CredentialRenewed { .. } => hook::CREDENTIAL_RENEWED,
        RuntimeEvent::CredentialExpiring { .. } => hook::CREDENTIAL_EXPIRING,
        RuntimeEvent::MailboxBackpressure { .. } => hook::MAILBOX_BACKPRESSURE,
    }
}

pub(super) fn peer(event: &PeerEvent, relayed: Option<bool>) -> proto::PeerEventV1 {
    proto::PeerEventV1 { peer: Some((&event.peer).into()), relayed }
}

pub(super) fn timestamp(value: Timestamp) -> proto::TimestampV1 {
    proto::TimestampV1 { seconds: value.seconds(), nanoseconds: value.nanoseconds() }
}

/// Bytes of a field that is left out when it is empty.
const fn optional_len(len: usize) -> usize {
    if len == 0 { 0 } else { bytes_field_len(len) }
}

const fn realm_len(id: &ActorId) -> usize {
    1 + varint_len(id.realm().number() as u64)
}

fn type_len(actor_type: &ActorType) -> usize {
    bytes_field_len(actor_type.manufacturer().as_str().len())
        + bytes_field_len(actor_type.name().as_str().len())
        + bytes_field_len(actor_type.version().as_str().len())
}

pub(super) fn id_len(id: &ActorId) -> usize {
    bytes_field_len(realm_len(id)) + 1 + varint_len(id.serial().number()) + bytes_field_len(type_len(id.actor_type()))
}

pub(super) fn put_id(out: &mut Vec<u8>, key: u8, id: &ActorId) {
    put_head(out, key, id_len(id));
    put_head(out, 0x0a, realm_len(id));
    out.push(0x08);
    put_varint(out, u64::from(id.realm().number()));
    out.push(0x10);
    put_varint(out, id.serial().number());
    let actor_type = id.actor_type();
    put_head(out, 0x1a, type_len(actor_type));
    put_bytes(out, 0x0a, actor_type.manufacturer().as_str().as_bytes());
    put_bytes(out, 0x12, actor_type.name().as_str().as_bytes());
    put_bytes(out, 0x1a, actor_type.version().as_str().as_bytes());
}
