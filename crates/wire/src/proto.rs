//! The protobuf messages of actr 0.3, and those of the native ABI V2, as they are on the wire. They prove nothing about their content: convert them to
//! the types of `playhouse-types` before use.
//!
//! Fields that the specification declares required are always written. Scalars of that kind read as their default when
//! absent, as actr 0.3 has it; parts of an identity are kept as options, so that an absent one can be refused.

mod identity;
mod native;
mod native_v2;
mod rpc;

pub use identity::{ActrId, ActrType, Realm};
pub use native::{
    AbiFrame, AbiReply, BackpressureEventV1, CredentialEventV1, DestV1, GuestDataStreamV1, GuestHandleV1, GuestHookV1,
    GuestLifecycleV1, HostCallRawV1, HostCallV1, HostDiscoverV1, HostRegisterStreamV1, HostSendDataStreamV1,
    HostTellV1, HostUnregisterStreamV1, InitPayloadV1, InvocationContextV1, PeerEventV1, TimestampV1, dest_v1,
};
pub use native_v2::{
    ChangeV2, CryptoV2, DurationV2, EntriesV2, EntryV2, ErrorEventV2, ErrorV2, MaybeV2, RandomV2, RuntimeV2,
    StateCompareAndSetV2, StateScanV2, StateWriteV2, TimerV2, schedule_v2,
};
pub use rpc::{DataStream, ErrorResponse, MetadataEntry, PayloadType, RpcEnvelope};
