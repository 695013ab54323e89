//! Messages and actors as bytes, for back ends that keep bytes. Protobuf, so that fields can be added.

use bytes::Bytes;
use playhouse_types::{Realm, Serial};
use prost::Message as _;

use crate::model::{
    ActorInfo, ActorKey, Epoch, Identity, Lease, Message, MessageKind, OutMessage, Priority, RequestKey, Revision,
    Time, Usage,
};

/// Bytes that passed their checksum and still are not a record: they were written by something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undecodable(pub(crate) String);

impl From<prost::DecodeError> for Undecodable {
    fn from(error: prost::DecodeError) -> Self {
        Self(error.to_string())
    }
}

/// The checksum of a record: of what kind it is, under which key it stands, and what it says.
pub(crate) fn checksum(kind: &str, parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind.as_bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MessageRecord {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint32, tag = "2")]
    priority: u32,
    #[prost(string, tag = "3")]
    caller: String,
    #[prost(string, optional, tag = "4")]
    request: Option<String>,
    #[prost(string, tag = "5")]
    route: String,
    #[prost(bytes = "bytes", tag = "6")]
    payload: Bytes,
    #[prost(uint64, optional, tag = "7")]
    deadline: Option<u64>,
    #[prost(bytes = "bytes", tag = "8")]
    context: Bytes,
}

impl From<&Message> for MessageRecord {
    fn from(message: &Message) -> Self {
        Self {
            kind: u32::from(message.kind == MessageKind::Call),
            priority: u32::from(message.priority == Priority::Normal),
            caller: message.caller.clone(),
            request: message.request.clone(),
            route: message.route.clone(),
            payload: message.payload.clone(),
            deadline: message.deadline.map(Time::millis),
            context: message.context.clone(),
        }
    }
}

impl From<MessageRecord> for Message {
    fn from(record: MessageRecord) -> Self {
        Self {
            kind: if record.kind == 0 { MessageKind::Tell } else { MessageKind::Call },
            priority: if record.priority == 0 { Priority::Signal } else { Priority::Normal },
            caller: record.caller,
            request: record.request,
            route: record.route,
            payload: record.payload,
            deadline: record.deadline.map(Time::from_millis),
            context: record.context,
        }
    }
}

pub(crate) fn encode_message(message: &Message) -> Vec<u8> {
    MessageRecord::from(message).encode_to_vec()
}

pub(crate) fn decode_message(bytes: Bytes) -> Result<Message, Undecodable> {
    Ok(MessageRecord::decode(bytes)?.into())
}

/// What stands beside a queued message: what is needed to consume it, and the checksum of the rest.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HeadRecord {
    #[prost(uint64, tag = "1")]
    pub(crate) at: u64,
    #[prost(uint32, tag = "2")]
    pub(crate) attempts: u32,
    #[prost(uint64, tag = "3")]
    pub(crate) bytes: u64,
    #[prost(string, tag = "4")]
    pub(crate) caller: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) request: Option<String>,
    #[prost(fixed32, tag = "6")]
    pub(crate) body_checksum: u32,
}

impl HeadRecord {
    pub(crate) fn request_key(self) -> Option<RequestKey> {
        Some(RequestKey { caller: self.caller, request: self.request? })
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OutRecord {
    #[prost(string, tag = "1")]
    target: String,
    #[prost(uint64, tag = "2")]
    not_before: u64,
    #[prost(uint32, tag = "3")]
    pub(crate) attempts: u32,
    #[prost(message, required, tag = "4")]
    message: MessageRecord,
}

impl OutRecord {
    pub(crate) fn new(out: &OutMessage, attempts: u32) -> Self {
        let message = MessageRecord::from(&out.message);
        Self { target: out.target.clone(), not_before: out.not_before.millis(), attempts, message }
    }

    pub(crate) fn into_out(self) -> OutMessage {
        let not_before = Time::from_millis(self.not_before);
        OutMessage { target: self.target, not_before, message: self.message.into() }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct LetterRecord {
    #[prost(uint64, tag = "1")]
    pub(crate) actor: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) at: u64,
    #[prost(string, tag = "3")]
    pub(crate) cause: String,
    #[prost(uint32, tag = "4")]
    pub(crate) attempts: u32,
    #[prost(message, required, tag = "5")]
    pub(crate) message: MessageRecord,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct IdentityRecord {
    #[prost(uint32, tag = "1")]
    realm: u32,
    #[prost(string, tag = "2")]
    manufacturer: String,
    #[prost(string, tag = "3")]
    type_name: String,
    #[prost(string, tag = "4")]
    instance: String,
}

impl From<&Identity> for IdentityRecord {
    fn from(identity: &Identity) -> Self {
        Self {
            realm: identity.realm.number(),
            manufacturer: identity.manufacturer.as_str().to_owned(),
            type_name: identity.type_name.as_str().to_owned(),
            instance: identity.instance.clone(),
        }
    }
}

impl TryFrom<IdentityRecord> for Identity {
    type Error = Undecodable;

    fn try_from(record: IdentityRecord) -> Result<Self, Undecodable> {
        let name = |text: &str| text.parse().map_err(|error| Undecodable(format!("{error}")));
        Ok(Self {
            realm: Realm::new(record.realm),
            manufacturer: name(&record.manufacturer)?,
            type_name: name(&record.type_name)?,
            instance: record.instance,
        })
    }
}

/// Everything of an actor's row that changes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ActorRecord {
    #[prost(uint64, tag = "1")]
    serial: u64,
    #[prost(uint64, tag = "2")]
    epoch: u64,
    #[prost(uint64, tag = "3")]
    until: u64,
    #[prost(uint64, tag = "4")]
    revision: u64,
    #[prost(string, tag = "5")]
    owner: String,
    #[prost(message, required, tag = "6")]
    usage: UsageRecord,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct UsageRecord {
    #[prost(uint64, tag = "1")]
    state_keys: u64,
    #[prost(uint64, tag = "2")]
    state_bytes: u64,
    #[prost(uint64, tag = "3")]
    timers: u64,
    #[prost(uint64, tag = "4")]
    outbox: u64,
    #[prost(uint64, tag = "5")]
    sealed_keys: u64,
    #[prost(uint64, tag = "6")]
    queued: u64,
    #[prost(uint64, tag = "7")]
    queued_bytes: u64,
}

impl From<&ActorInfo> for ActorRecord {
    fn from(info: &ActorInfo) -> Self {
        let Usage { state_keys, state_bytes, timers, outbox, sealed_keys, queued, queued_bytes } = info.lease.usage;
        Self {
            serial: info.lease.serial.number(),
            epoch: info.lease.epoch.number(),
            until: info.lease.until.millis(),
            revision: info.lease.revision.number(),
            owner: info.owner.clone(),
            usage: UsageRecord { state_keys, state_bytes, timers, outbox, sealed_keys, queued, queued_bytes },
        }
    }
}

impl ActorRecord {
    pub(crate) fn into_info(self, actor: ActorKey, identity: Identity) -> ActorInfo {
        let UsageRecord { state_keys, state_bytes, timers, outbox, sealed_keys, queued, queued_bytes } = self.usage;
        let lease = Lease {
            actor,
            serial: Serial::new(self.serial),
            epoch: Epoch::from_number(self.epoch),
            until: Time::from_millis(self.until),
            revision: Revision::from_number(self.revision),
            usage: Usage { state_keys, state_bytes, timers, outbox, sealed_keys, queued, queued_bytes },
        };
        ActorInfo { identity, lease, owner: self.owner }
    }
}
