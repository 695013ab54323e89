//! Types that have the same form in our world and in those of actr, whatever these call them: the canonical ABI knows types
//! by their fields.

use std::sync::Arc;

use bytes::Bytes;
use playhouse_types as ours;
use playhouse_types::ActorError;
use wasmtime::component::{ComponentType, Lift, Lower};

use super::guest::malformed;

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct ActorType {
    pub(in crate::wasm) manufacturer: Arc<str>,
    pub(in crate::wasm) name: Arc<str>,
    pub(in crate::wasm) version: Arc<str>,
}

impl TryFrom<ActorType> for ours::ActorType {
    type Error = ActorError;

    fn try_from(ty: ActorType) -> Result<Self, ActorError> {
        let name = |text: &str| text.parse().map_err(|e| malformed(&e));
        let version = ty.version.parse().map_err(|e| malformed(&e))?;
        Ok(Self::new(name(&ty.manufacturer)?, name(&ty.name)?, version))
    }
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct MetadataEntry {
    key: String,
    value: String,
}

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

impl From<Timestamp> for ours::Timestamp {
    fn from(timestamp: Timestamp) -> Self {
        Self::clamped(timestamp.seconds, timestamp.nanoseconds)
    }
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(in crate::wasm) struct Backpressure {
    #[component(name = "queue-len")]
    pub(in crate::wasm) queue_len: u64,
    pub(in crate::wasm) threshold: u64,
}
