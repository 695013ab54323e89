//! Reads what the host tells, and lets the actor handle it.

use bytes::Bytes;
use playhouse_abi::native::{hook, lifecycle, op, status};
use playhouse_types::{ActorError, ActorId, DataChunk, Event, PeerEvent, RequestId, RuntimeEvent, Timestamp};
use playhouse_wire::WireError;
use playhouse_wire::native::Frame;
use playhouse_wire::proto::{
    GuestDataStreamV1, GuestHandleV1, GuestHookV1, GuestLifecycleV1, InvocationContextV1, PeerEventV1, RpcEnvelope,
    TimestampV1,
};
use prost::Message;

use super::Host;
use super::host::HostBackend;
use crate::actor::{Actor, Dispatch};
use crate::context::Context;
use crate::internal::{Program, poll_once};

/// How `actr_handle` ends other than well.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It returns the code.
    Code(i32),
    /// It returns 0 and a reply with the error's text.
    Error(ActorError),
}

const UNDECODABLE: Failure = Failure::Code(status::PROTOCOL_ERROR);
const UNSUPPORTED: Failure = Failure::Code(status::UNSUPPORTED_OP);
const PENDING: Failure = Failure::Code(status::HANDLE_FAILED);

/// Any text or id of the host that breaks a rule counts as undecodable.
impl From<WireError> for Failure {
    fn from(_: WireError) -> Self {
        UNDECODABLE
    }
}

type Handled = Result<Bytes, Failure>;

pub(super) fn handle<P: Program>(host: &Host, bytes: &[u8]) -> Handled {
    let frame = Frame::read(bytes)?;
    match frame.op {
        op::GUEST_HANDLE => request::<P>(host, frame.payload),
        op::GUEST_DATA_STREAM => chunk::<P>(host, frame.payload),
        op::GUEST_LIFECYCLE => step::<P>(host, frame.payload),
        op::GUEST_HOOK => runtime::<P>(host, frame.payload),
        _ => Err(UNSUPPORTED),
    }
}

fn decode<M: Message + Default>(payload: &[u8]) -> Result<M, Failure> {
    M::decode(payload).map_err(|_| UNDECODABLE)
}

fn with<P: Program, T>(run: impl FnOnce(&mut P::Actor) -> Option<Result<T, ActorError>>) -> Result<T, Failure> {
    let output = P::slot().with(run).map_err(Failure::Error)?;
    output.ok_or(PENDING)?.map_err(Failure::Error)
}

fn request<P: Program>(host: &Host, payload: &[u8]) -> Handled {
    let message: GuestHandleV1 = decode(payload)?;
    let envelope: RpcEnvelope = decode(&message.rpc_envelope)?;
    let route = envelope.route_key.parse().map_err(WireError::from)?;
    let mut context = message.ctx.ok_or(UNDECODABLE)?;
    context.request_id = envelope.request_id;
    let backend = backend(host, context)?;
    let payload = envelope.payload.unwrap_or_default();
    with::<P, _>(|actor| poll_once(actor.dispatch(Context::new(&backend), &route, payload)))
}

fn chunk<P: Program>(host: &Host, payload: &[u8]) -> Handled {
    let message: GuestDataStreamV1 = decode(payload)?;
    let chunk: DataChunk = message.chunk.ok_or(UNDECODABLE)?.try_into()?;
    let sender: ActorId = (&message.sender.ok_or(UNDECODABLE)?).try_into()?;
    let event = Event::Chunk { chunk: chunk.clone(), sender: sender.clone() };
    // A host that sends chunks before any other event leaves the guest without an id; the sender's stands for it.
    let backend = HostBackend {
        host: host.table,
        self_id: host.self_id.get().unwrap_or(&sender).clone(),
        caller: Some(sender.clone()),
        request_id: event.request_id().unwrap_or(UNNAMED),
    };
    with::<P, _>(|actor| poll_once(actor.on_chunk(Context::new(&backend), chunk, sender)))?;
    Ok(Bytes::new())
}

fn step<P: Program>(host: &Host, payload: &[u8]) -> Handled {
    let message: GuestLifecycleV1 = decode(payload)?;
    if !(lifecycle::ON_START..=lifecycle::ON_STOP).contains(&message.hook) {
        return Err(UNSUPPORTED);
    }
    let backend = backend(host, message.ctx.ok_or(UNDECODABLE)?)?;
    let cx = Context::new(&backend);
    with::<P, _>(|actor| match message.hook {
        lifecycle::ON_START => poll_once(actor.on_start(cx)),
        lifecycle::ON_READY => poll_once(actor.on_ready(cx)),
        _ => poll_once(actor.on_stop(cx)),
    })?;
    Ok(Bytes::new())
}

fn runtime<P: Program>(host: &Host, payload: &[u8]) -> Handled {
    let mut message: GuestHookV1 = decode(payload)?;
    let context = message.ctx.take();
    let event = runtime_event(message)?;
    let backend = backend(host, context.ok_or(UNDECODABLE)?)?;
    with::<P, _>(|actor| poll_once(actor.on_runtime(Context::new(&backend), event)).map(Ok))?;
    Ok(Bytes::new())
}

fn runtime_event(message: GuestHookV1) -> Result<RuntimeEvent, Failure> {
    let expiry = || message.credential.as_ref().and_then(|event| event.new_expiry).map(time).ok_or(UNDECODABLE);
    let peer = || peer(message.peer.as_ref());
    Ok(match message.hook {
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
            let full = message.backpressure.ok_or(UNDECODABLE)?;
            RuntimeEvent::MailboxBackpressure { queue_len: full.queue_len, threshold: full.threshold }
        }
        _ => return Err(UNSUPPORTED),
    })
}

fn peer(event: Option<&PeerEventV1>) -> Result<PeerEvent, Failure> {
    let event = event.ok_or(UNDECODABLE)?;
    let peer = event.peer.as_ref().ok_or(UNDECODABLE)?;
    Ok(PeerEvent { peer: peer.try_into()?, relayed: event.relayed })
}

fn time(at: TimestampV1) -> Timestamp {
    Timestamp::clamped(at.seconds, at.nanoseconds)
}

/// The request id of an event whose host gave it none.
pub(super) const UNNAMED: RequestId = RequestId::from_static("unnamed");

fn backend(host: &Host, context: InvocationContextV1) -> Result<HostBackend, Failure> {
    let caller = context.caller_id.as_ref().map(ActorId::try_from).transpose()?;
    let self_id: ActorId = (&context.self_id.ok_or(UNDECODABLE)?).try_into()?;
    let self_id = host.self_id.get_or_init(|| self_id).clone();
    let request_id = context.request_id.parse().unwrap_or(UNNAMED);
    Ok(HostBackend { host: host.table, self_id, caller, request_id })
}
