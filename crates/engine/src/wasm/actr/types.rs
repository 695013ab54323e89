//! The types of `actr:workload/types@0.1.0` that all shapes share.

use std::sync::Arc;

use bytes::Bytes;
use playhouse_types as ours;
use playhouse_types::ActorError;
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::wasm::guest::malformed;
use crate::wasm::ids::IdText;

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct Realm {
    #[component(name = "realm-id")]
    realm_id: u32,
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct ActrType {
    manufacturer: Arc<str>,
    name: Arc<str>,
    version: Arc<str>,
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct ActrId {
    realm: Realm,
    #[component(name = "serial-number")]
    serial_number: u64,
    #[component(name = "type")]
    actr_type: ActrType,
}

impl From<IdText> for ActrId {
    fn from(id: IdText) -> Self {
        let actr_type = ActrType { manufacturer: id.manufacturer, name: id.name, version: id.version };
        Self { realm: Realm { realm_id: id.realm }, serial_number: id.serial, actr_type }
    }
}

impl From<&ours::ActorId> for ActrId {
    fn from(id: &ours::ActorId) -> Self {
        IdText::from(id).into()
    }
}

impl TryFrom<ActrType> for ours::ActorType {
    type Error = ActorError;

    fn try_from(ty: ActrType) -> Result<Self, ActorError> {
        let name = |text: &str| text.parse().map_err(|e| malformed(&e));
        let version = ty.version.parse().map_err(|e| malformed(&e))?;
        Ok(Self::new(name(&ty.manufacturer)?, name(&ty.name)?, version))
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

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct MetadataEntry {
    key: String,
    value: String,
}

/// `data-stream` in shapes A and B, `data-chunk` in C.
#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct DataChunk {
    #[component(name = "stream-id")]
    stream_id: String,
    sequence: u64,
    payload: Vec<u8>,
    metadata: Vec<MetadataEntry>,
    #[component(name = "timestamp-ms")]
    timestamp_ms: Option<i64>,
}

impl From<ours::DataChunk> for DataChunk {
    fn from(chunk: ours::DataChunk) -> Self {
        Self {
            stream_id: chunk.stream_id.as_str().to_owned(),
            sequence: chunk.sequence,
            payload: chunk.payload.into(),
            metadata: chunk.metadata.into_iter().map(|(key, value)| MetadataEntry { key, value }).collect(),
            timestamp_ms: chunk.timestamp_ms,
        }
    }
}

impl TryFrom<DataChunk> for ours::DataChunk {
    type Error = ActorError;

    fn try_from(chunk: DataChunk) -> Result<Self, ActorError> {
        Ok(Self {
            stream_id: chunk.stream_id.parse().map_err(|e| malformed(&e))?,
            sequence: chunk.sequence,
            payload: Bytes::from(chunk.payload),
            metadata: chunk.metadata.into_iter().map(|entry| (entry.key, entry.value)).collect(),
            timestamp_ms: chunk.timestamp_ms,
        })
    }
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
pub(in crate::wasm) struct Timestamp {
    seconds: u64,
    nanoseconds: u32,
}

impl From<ours::Timestamp> for Timestamp {
    fn from(timestamp: ours::Timestamp) -> Self {
        Self { seconds: timestamp.seconds(), nanoseconds: timestamp.nanoseconds() }
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct CredentialEvent {
    #[component(name = "new-expiry")]
    pub(super) new_expiry: Timestamp,
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct BackpressureEvent {
    #[component(name = "queue-len")]
    pub(super) queue_len: u64,
    pub(super) threshold: u64,
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
