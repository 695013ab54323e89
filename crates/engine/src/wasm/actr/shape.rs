//! What differs between the three shapes of `actr:workload@0.1.0`.

use playhouse_types as ours;
use playhouse_types::ActorError;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::errors::{ErrorOfEleven, ErrorOfTen};
use super::types::ActrId;

/// A type that goes to guests.
pub(in crate::wasm) trait Out: Lower + Send + Sync + 'static {}
impl<T: Lower + Send + Sync + 'static> Out for T {}

/// One of the shapes.
pub(in crate::wasm) trait Shape: Send + Sync + 'static {
    /// `actr-error`.
    type Error: Out + Lift + for<'a> From<&'a ActorError> + Into<ActorError>;
    /// `dest`.
    type Dest: Lift + Send + Sync + 'static + TryInto<ours::Dest, Error = ActorError>;
    /// `peer-event`.
    type Peer: Out + From<ours::PeerEvent>;
    /// `error-category`.
    type Category: Out + From<ours::ErrorCategory>;
    /// The export that takes chunks.
    const ON_CHUNK: &'static str;
    /// The import that sends chunks.
    const SEND_CHUNK: &'static str;
}

/// The shape of actr 0.3.1.
pub(in crate::wasm) enum A {}
/// The shape of actr 0.3.12.
pub(in crate::wasm) enum B {}
/// The shape of actr 0.4.21 and 0.5.
pub(in crate::wasm) enum C {}

impl Shape for A {
    type Error = ErrorOfTen;
    type Dest = DestOfA;
    type Peer = PeerOfA;
    type Category = CategoryOfA;
    const ON_CHUNK: &'static str = "on-data-stream";
    const SEND_CHUNK: &'static str = "send-data-stream";
}

impl Shape for B {
    type Error = ErrorOfEleven;
    type Dest = DestOfA;
    type Peer = PeerOfA;
    type Category = CategoryOfA;
    const ON_CHUNK: &'static str = "on-data-stream";
    const SEND_CHUNK: &'static str = "send-data-stream";
}

impl Shape for C {
    type Error = ErrorOfEleven;
    type Dest = DestOfC;
    type Peer = PeerOfC;
    type Category = CategoryOfC;
    const ON_CHUNK: &'static str = "on-data-chunk";
    const SEND_CHUNK: &'static str = "send-data-chunk";
}

/// `dest` of shapes A and B.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(in crate::wasm) enum DestOfA {
    #[component(name = "shell")]
    Shell,
    #[component(name = "local")]
    Local,
    #[component(name = "actor")]
    Actor(ActrId),
}

/// `dest` of shape C: the same places by other names.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(in crate::wasm) enum DestOfC {
    #[component(name = "host")]
    Host,
    #[component(name = "workload")]
    Workload,
    #[component(name = "peer")]
    Peer(ActrId),
}

impl TryFrom<DestOfA> for ours::Dest {
    type Error = ActorError;

    fn try_from(dest: DestOfA) -> Result<Self, ActorError> {
        Ok(match dest {
            DestOfA::Shell => Self::Shell,
            DestOfA::Local => Self::Local,
            DestOfA::Actor(id) => Self::Actor(id.try_into()?),
        })
    }
}

impl TryFrom<DestOfC> for ours::Dest {
    type Error = ActorError;

    fn try_from(dest: DestOfC) -> Result<Self, ActorError> {
        Ok(match dest {
            DestOfC::Host => Self::Shell,
            DestOfC::Workload => Self::Local,
            DestOfC::Peer(id) => Self::Actor(id.try_into()?),
        })
    }
}

/// `peer-event` of shapes A and B.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct PeerOfA {
    peer: ActrId,
    relayed: Option<bool>,
}

impl From<ours::PeerEvent> for PeerOfA {
    fn from(event: ours::PeerEvent) -> Self {
        Self { peer: (&event.peer).into(), relayed: event.relayed }
    }
}

/// `webrtc-peer-status` of shape C. Events of ours do not say it.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(variant)]
#[expect(dead_code, reason = "the type must be complete; the host leaves the status out")]
pub(in crate::wasm) enum WebrtcPeerStatus {
    #[component(name = "idle")]
    Idle,
    #[component(name = "connecting")]
    Connecting,
    #[component(name = "connected")]
    Connected,
    #[component(name = "recovering")]
    Recovering,
}

/// `peer-event` of shape C.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct PeerOfC {
    peer: ActrId,
    relayed: Option<bool>,
    status: Option<WebrtcPeerStatus>,
}

impl From<ours::PeerEvent> for PeerOfC {
    fn from(event: ours::PeerEvent) -> Self {
        Self { peer: (&event.peer).into(), relayed: event.relayed, status: None }
    }
}

macro_rules! category {
    ($(#[$doc:meta])* $name:ident, $uncertain:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, ComponentType, Lower)]
        #[component(variant)]
        pub(in crate::wasm) enum $name {
            #[component(name = "handler-panic")]
            HandlerPanic,
            #[component(name = "handler-error")]
            HandlerError,
            #[component(name = "signaling-failure")]
            SignalingFailure,
            #[component(name = "transport-failure")]
            TransportFailure,
            #[component(name = $uncertain)]
            DeliveryUncertain,
        }

        impl From<ours::ErrorCategory> for $name {
            fn from(category: ours::ErrorCategory) -> Self {
                match category {
                    ours::ErrorCategory::HandlerPanic => Self::HandlerPanic,
                    ours::ErrorCategory::HandlerError => Self::HandlerError,
                    ours::ErrorCategory::SignalingFailure => Self::SignalingFailure,
                    ours::ErrorCategory::TransportFailure => Self::TransportFailure,
                    ours::ErrorCategory::StreamDeliveryUncertain => Self::DeliveryUncertain,
                }
            }
        }
    };
}

category!(
    /// `error-category` of shapes A and B.
    CategoryOfA,
    "data-stream-delivery-uncertain"
);
category!(
    /// `error-category` of shape C.
    CategoryOfC,
    "data-chunk-delivery-uncertain"
);
