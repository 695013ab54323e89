//! Between the messages and the types that prove that their content is well formed.

use playhouse_types::limits::METADATA_ENTRIES_MAX;
use playhouse_types::{ActorId, ActorType, DataChunk, Realm, Serial};

use crate::error::WireError;
use crate::proto;

impl From<&ActorType> for proto::ActrType {
    fn from(value: &ActorType) -> Self {
        Self {
            manufacturer: value.manufacturer().to_string(),
            name: value.name().to_string(),
            version: value.version().to_string(),
        }
    }
}

impl TryFrom<&proto::ActrType> for ActorType {
    type Error = WireError;

    fn try_from(value: &proto::ActrType) -> Result<Self, WireError> {
        Ok(Self::new(value.manufacturer.parse()?, value.name.parse()?, value.version.parse()?))
    }
}

impl From<&ActorId> for proto::ActrId {
    fn from(value: &ActorId) -> Self {
        Self {
            realm: Some(proto::Realm { realm_id: Some(value.realm().number()) }),
            serial_number: Some(value.serial().number()),
            r#type: Some(value.actor_type().into()),
        }
    }
}

impl TryFrom<&proto::ActrId> for ActorId {
    type Error = WireError;

    fn try_from(value: &proto::ActrId) -> Result<Self, WireError> {
        let realm =
            value.realm.as_ref().and_then(|realm| realm.realm_id).ok_or(WireError::Missing { what: "realm" })?;
        let serial = value.serial_number.ok_or(WireError::Missing { what: "serial number" })?;
        let actor_type = value.r#type.as_ref().ok_or(WireError::Missing { what: "actor type" })?;
        Ok(Self::new(Realm::new(realm), Serial::new(serial), actor_type.try_into()?))
    }
}

impl From<&DataChunk> for proto::DataStream {
    fn from(value: &DataChunk) -> Self {
        let entry = |(key, value): &(String, String)| proto::MetadataEntry { key: key.clone(), value: value.clone() };
        Self {
            stream_id: value.stream_id.to_string(),
            sequence: value.sequence,
            payload: value.payload.clone(),
            metadata: value.metadata.iter().map(entry).collect(),
            timestamp_ms: value.timestamp_ms,
        }
    }
}

impl TryFrom<proto::DataStream> for DataChunk {
    type Error = WireError;

    fn try_from(value: proto::DataStream) -> Result<Self, WireError> {
        let found = value.metadata.len();
        if found > METADATA_ENTRIES_MAX {
            return Err(WireError::TooMany { what: "metadata entries", found, limit: METADATA_ENTRIES_MAX });
        }
        Ok(Self {
            stream_id: value.stream_id.parse()?,
            sequence: value.sequence,
            payload: value.payload,
            metadata: value.metadata.into_iter().map(|entry| (entry.key, entry.value)).collect(),
            timestamp_ms: value.timestamp_ms,
        })
    }
}

#[cfg(test)]
mod tests;
