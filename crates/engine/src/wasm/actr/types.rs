//! The types of `actr:workload/types@0.1.0` that all shapes share.

use playhouse_types as ours;
use playhouse_types::ActorError;
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::wasm::ids::IdText;
use crate::wasm::values::{ActorType, Timestamp};

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct Realm {
    #[component(name = "realm-id")]
    realm_id: u32,
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct ActrId {
    realm: Realm,
    #[component(name = "serial-number")]
    serial_number: u64,
    #[component(name = "type")]
    actr_type: ActorType,
}

impl From<IdText> for ActrId {
    fn from(id: IdText) -> Self {
        let actr_type = ActorType { manufacturer: id.manufacturer, name: id.name, version: id.version };
        Self { realm: Realm { realm_id: id.realm }, serial_number: id.serial, actr_type }
    }
}

impl From<&ours::ActorId> for ActrId {
    fn from(id: &ours::ActorId) -> Self {
        IdText::from(id).into()
    }
}

impl TryFrom<ActrId> for ours::ActorId {
    type Error = ActorError;

    fn try_from(id: ActrId) -> Result<Self, ActorError> {
        let realm = ours::Realm::new(id.realm.realm_id);
        Ok(Self::new(realm, ours::Serial::new(id.serial_number), id.actr_type.try_into()?))
    }
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct RpcEnvelope {
    #[component(name = "request-id")]
    pub(super) request_id: String,
    #[component(name = "route-key")]
    pub(super) route_key: String,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(variant)]
pub(in crate::wasm) enum PayloadType {
    #[component(name = "rpc-reliable")]
    RpcReliable,
    #[component(name = "rpc-signal")]
    RpcSignal,
    #[component(name = "stream-reliable")]
    StreamReliable,
    #[component(name = "stream-latency-first")]
    StreamLatencyFirst,
    #[component(name = "media-rtp")]
    MediaRtp,
}

impl From<PayloadType> for ours::PayloadClass {
    fn from(class: PayloadType) -> Self {
        match class {
            PayloadType::RpcReliable => Self::RpcReliable,
            PayloadType::RpcSignal => Self::RpcSignal,
            PayloadType::StreamReliable => Self::StreamReliable,
            PayloadType::StreamLatencyFirst => Self::StreamLatencyFirst,
            PayloadType::MediaRtp => Self::MediaRtp,
        }
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct CredentialEvent {
    #[component(name = "new-expiry")]
    pub(super) new_expiry: Timestamp,
}

/// `E` is the shape's error, `C` its error category.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct ErrorEvent<E, C> {
    source: E,
    category: C,
    context: String,
    timestamp: Timestamp,
}

impl<E: for<'a> From<&'a ActorError>, C: From<ours::ErrorCategory>> From<ours::ErrorEvent> for ErrorEvent<E, C> {
    fn from(event: ours::ErrorEvent) -> Self {
        Self {
            source: E::from(&event.source),
            category: event.category.into(),
            context: event.context,
            timestamp: event.timestamp.into(),
        }
    }
}
