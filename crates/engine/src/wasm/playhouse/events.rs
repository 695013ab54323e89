//! The events of `playhouse:actor/types@0.1.0`, which only go to guests.

use playhouse_types as ours;
use wasmtime::component::{ComponentType, Lower};

use super::types::{ActorId, Error};
use crate::wasm::values::{Backpressure, Timestamp};

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum ErrorCategory {
    #[component(name = "handler-panic")]
    HandlerPanic,
    #[component(name = "handler-error")]
    HandlerError,
    #[component(name = "signaling-failure")]
    SignalingFailure,
    #[component(name = "transport-failure")]
    TransportFailure,
    #[component(name = "stream-delivery-uncertain")]
    StreamDeliveryUncertain,
}

impl From<ours::ErrorCategory> for ErrorCategory {
    fn from(category: ours::ErrorCategory) -> Self {
        match category {
            ours::ErrorCategory::HandlerPanic => Self::HandlerPanic,
            ours::ErrorCategory::HandlerError => Self::HandlerError,
            ours::ErrorCategory::SignalingFailure => Self::SignalingFailure,
            ours::ErrorCategory::TransportFailure => Self::TransportFailure,
            ours::ErrorCategory::StreamDeliveryUncertain => Self::StreamDeliveryUncertain,
        }
    }
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct ErrorEvent {
    source: Error,
    category: ErrorCategory,
    context: String,
    timestamp: Timestamp,
}

impl From<ours::ErrorEvent> for ErrorEvent {
    fn from(event: ours::ErrorEvent) -> Self {
        Self {
            source: (&event.source).into(),
            category: event.category.into(),
            context: event.context,
            timestamp: event.timestamp.into(),
        }
    }
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct PeerEvent {
    peer: ActorId,
    relayed: Option<bool>,
}

impl From<ours::PeerEvent> for PeerEvent {
    fn from(event: ours::PeerEvent) -> Self {
        Self { peer: (&event.peer).into(), relayed: event.relayed }
    }
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(super) enum RuntimeEvent {
    #[component(name = "signaling-connecting")]
    SignalingConnecting,
    #[component(name = "signaling-connected")]
    SignalingConnected,
    #[component(name = "signaling-disconnected")]
    SignalingDisconnected,
    #[component(name = "websocket-connecting")]
    WebsocketConnecting(PeerEvent),
    #[component(name = "websocket-connected")]
    WebsocketConnected(PeerEvent),
    #[component(name = "websocket-disconnected")]
    WebsocketDisconnected(PeerEvent),
    #[component(name = "webrtc-connecting")]
    WebrtcConnecting(PeerEvent),
    #[component(name = "webrtc-connected")]
    WebrtcConnected(PeerEvent),
    #[component(name = "webrtc-disconnected")]
    WebrtcDisconnected(PeerEvent),
    #[component(name = "credential-renewed")]
    CredentialRenewed(Timestamp),
    #[component(name = "credential-expiring")]
    CredentialExpiring(Timestamp),
    #[component(name = "mailbox-backpressure")]
    MailboxBackpressure(Backpressure),
}

impl From<ours::RuntimeEvent> for RuntimeEvent {
    fn from(event: ours::RuntimeEvent) -> Self {
        use ours::RuntimeEvent as Ours;
        match event {
            Ours::SignalingConnecting => Self::SignalingConnecting,
            Ours::SignalingConnected => Self::SignalingConnected,
            Ours::SignalingDisconnected => Self::SignalingDisconnected,
            Ours::WebsocketConnecting(peer) => Self::WebsocketConnecting(peer.into()),
            Ours::WebsocketConnected(peer) => Self::WebsocketConnected(peer.into()),
            Ours::WebsocketDisconnected(peer) => Self::WebsocketDisconnected(peer.into()),
            Ours::WebrtcConnecting(peer) => Self::WebrtcConnecting(peer.into()),
            Ours::WebrtcConnected(peer) => Self::WebrtcConnected(peer.into()),
            Ours::WebrtcDisconnected(peer) => Self::WebrtcDisconnected(peer.into()),
            Ours::CredentialRenewed { new_expiry } => Self::CredentialRenewed(new_expiry.into()),
            Ours::CredentialExpiring { new_expiry } => Self::CredentialExpiring(new_expiry.into()),
            Ours::MailboxBackpressure { queue_len, threshold } => {
                Self::MailboxBackpressure(Backpressure { queue_len, threshold })
            }
        }
    }
}
