use bytes::Bytes;

use super::identity::{ActrId, ActrType};
use super::rpc::{DataStream, PayloadType};

/// What crosses the native ABI in either direction.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AbiFrame {
    /// Always 1.
    #[prost(uint32, tag = "1")]
    pub abi_version: u32,
    /// The operation.
    #[prost(uint32, tag = "2")]
    pub op: u32,
    /// The operation's own message.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
}

/// The answer to an [`AbiFrame`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AbiReply {
    /// 1; 0 is accepted.
    #[prost(uint32, tag = "1")]
    pub abi_version: u32,
    /// Zero, or a negative status.
    #[prost(int32, tag = "2")]
    pub status: i32,
    /// The result, or an error's text.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
}

/// What `actr_init` gets.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct InitPayloadV1 {
    /// Always 1.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// The type's text form.
    #[prost(string, tag = "2")]
    pub actr_type: String,
    /// Empty.
    #[prost(bytes = "bytes", tag = "3")]
    pub credential: Bytes,
    /// Empty.
    #[prost(bytes = "bytes", tag = "4")]
    pub actor_id: Bytes,
    /// Zero.
    #[prost(uint32, tag = "5")]
    pub realm_id: u32,
}

/// For whom an event is handled.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct InvocationContextV1 {
    /// The actor; required.
    #[prost(message, optional, tag = "1")]
    pub self_id: Option<ActrId>,
    /// The remote caller, if there is one.
    #[prost(message, optional, tag = "2")]
    pub caller_id: Option<ActrId>,
    /// The request.
    #[prost(string, tag = "3")]
    pub request_id: String,
}

/// A request.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GuestHandleV1 {
    /// For whom; required.
    #[prost(message, optional, tag = "1")]
    pub ctx: Option<InvocationContextV1>,
    /// An encoded `RpcEnvelope`.
    #[prost(bytes = "bytes", tag = "2")]
    pub rpc_envelope: Bytes,
    /// The context that guests of 0.4 and 0.5 pass to `invoke`.
    #[prost(uint64, tag = "3")]
    pub bridge_token: u64,
}

/// A chunk of a registered stream.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GuestDataStreamV1 {
    /// The chunk; required.
    #[prost(message, optional, tag = "1")]
    pub chunk: Option<DataStream>,
    /// Who sent it; required.
    #[prost(message, optional, tag = "2")]
    pub sender: Option<ActrId>,
    /// The context that guests of 0.4 and 0.5 pass to `invoke`.
    #[prost(uint64, tag = "3")]
    pub bridge_token: u64,
}

/// A step of the lifecycle.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GuestLifecycleV1 {
    /// For whom; required.
    #[prost(message, optional, tag = "1")]
    pub ctx: Option<InvocationContextV1>,
    /// Which step.
    #[prost(uint32, tag = "2")]
    pub hook: u32,
    /// The context that guests of 0.4 and 0.5 pass to `invoke`.
    #[prost(uint64, tag = "3")]
    pub bridge_token: u64,
}

/// Something that happened around the actor.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GuestHookV1 {
    /// For whom; required.
    #[prost(message, optional, tag = "1")]
    pub ctx: Option<InvocationContextV1>,
    /// What happened.
    #[prost(uint32, tag = "2")]
    pub hook: u32,
    /// Of link hooks.
    #[prost(message, optional, tag = "3")]
    pub peer: Option<PeerEventV1>,
    /// Of credential hooks.
    #[prost(message, optional, tag = "4")]
    pub credential: Option<CredentialEventV1>,
    /// Of the backpressure hook.
    #[prost(message, optional, tag = "5")]
    pub backpressure: Option<BackpressureEventV1>,
    /// The context that guests of 0.4 and 0.5 pass to `invoke`.
    #[prost(uint64, tag = "6")]
    pub bridge_token: u64,
}

/// A link that changed.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PeerEventV1 {
    /// The other side; required.
    #[prost(message, optional, tag = "1")]
    pub peer: Option<ActrId>,
    /// Whether traffic passes a relay, of a connected WebRTC link.
    #[prost(bool, optional, tag = "2")]
    pub relayed: Option<bool>,
}

/// A credential that changed.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CredentialEventV1 {
    /// Its end; required.
    #[prost(message, optional, tag = "1")]
    pub new_expiry: Option<TimestampV1>,
}

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct TimestampV1 {
    /// Since the Unix epoch.
    #[prost(uint64, tag = "1")]
    pub seconds: u64,
    /// The rest.
    #[prost(uint32, tag = "2")]
    pub nanoseconds: u32,
}

/// A mailbox that fills.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct BackpressureEventV1 {
    /// Messages waiting.
    #[prost(uint64, tag = "1")]
    pub queue_len: u64,
    /// The number at which the event is raised.
    #[prost(uint64, tag = "2")]
    pub threshold: u64,
}

/// Where a message goes. No arm is a protocol error.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DestV1 {
    /// Which.
    #[prost(oneof = "dest_v1::Kind", tags = "1, 2, 3")]
    pub kind: Option<dest_v1::Kind>,
}

/// The arms of [`DestV1`].
pub mod dest_v1 {
    /// Which destination. The boolean's value is ignored.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// The embedding application.
        #[prost(bool, tag = "1")]
        Shell(bool),
        /// The actor itself.
        #[prost(bool, tag = "2")]
        Local(bool),
        /// Another actor.
        #[prost(message, tag = "3")]
        Actor(super::ActrId),
    }
}

/// A call of a guest.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostCallV1 {
    /// The method.
    #[prost(string, tag = "1")]
    pub route_key: String,
    /// Where to; required.
    #[prost(message, optional, tag = "2")]
    pub dest: Option<DestV1>,
    /// The encoded request message.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
}

/// A tell of a guest.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostTellV1 {
    /// The method.
    #[prost(string, tag = "1")]
    pub route_key: String,
    /// Where to; required.
    #[prost(message, optional, tag = "2")]
    pub dest: Option<DestV1>,
    /// The encoded request message.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
}

/// A call of a guest to an actor.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostCallRawV1 {
    /// The method.
    #[prost(string, tag = "1")]
    pub route_key: String,
    /// Where to; required.
    #[prost(message, optional, tag = "2")]
    pub target: Option<ActrId>,
    /// The encoded request message.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
}

/// A search for an actor.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostDiscoverV1 {
    /// Of which type; required.
    #[prost(message, optional, tag = "1")]
    pub target_type: Option<ActrType>,
}

/// A stream that the guest wants.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostRegisterStreamV1 {
    /// The stream.
    #[prost(string, tag = "1")]
    pub stream_id: String,
}

/// A stream that the guest wants no more.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostUnregisterStreamV1 {
    /// The stream.
    #[prost(string, tag = "1")]
    pub stream_id: String,
}

/// A chunk that the guest sends.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HostSendDataStreamV1 {
    /// Where to; required.
    #[prost(message, optional, tag = "1")]
    pub dest: Option<DestV1>,
    /// The chunk; required.
    #[prost(message, optional, tag = "2")]
    pub chunk: Option<DataStream>,
    /// 2 or 3.
    #[prost(enumeration = "PayloadType", tag = "3")]
    pub payload_type: i32,
}
