use bytes::Bytes;

use super::native::{BackpressureEventV1, PeerEventV1, TimestampV1};

/// Why something failed. Texts are bytes, as guests in C may write what is not UTF-8.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ErrorV2 {
    /// A number of `playhouse_abi::native::v2::kind`.
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    /// The rule that was broken, such as `mailbox-full`.
    #[prost(bytes = "bytes", tag = "2")]
    pub code: Bytes,
    /// For people.
    #[prost(bytes = "bytes", tag = "3")]
    pub message: Bytes,
    /// Of a missing dependency.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub service: Option<Bytes>,
    /// When to try again.
    #[prost(uint64, optional, tag = "5")]
    pub retry_after_ms: Option<u64>,
}

/// A value of the state.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EntryV2 {
    /// Its key; required.
    #[prost(bytes = "bytes", tag = "1")]
    pub key: Bytes,
    /// The value.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
    /// The write that it comes from; never 0.
    #[prost(uint64, tag = "3")]
    pub version: u64,
}

/// What a scan found.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EntriesV2 {
    /// In the order of their keys.
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<EntryV2>,
    /// Whether there are more.
    #[prost(bool, tag = "2")]
    pub more: bool,
}

/// One write.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ChangeV2 {
    /// Which key; required.
    #[prost(bytes = "bytes", tag = "1")]
    pub key: Bytes,
    /// Its new value; absent deletes it.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub value: Option<Bytes>,
}

/// Writes that happen together.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StateWriteV2 {
    /// In order.
    #[prost(message, repeated, tag = "1")]
    pub changes: Vec<ChangeV2>,
}

/// A write with a condition.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StateCompareAndSetV2 {
    /// The version that was read; 0 if there was no value.
    #[prost(uint64, tag = "1")]
    pub expected: u64,
    /// The write; required.
    #[prost(message, optional, tag = "2")]
    pub change: Option<ChangeV2>,
}

/// A question for several values.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StateScanV2 {
    /// What the keys begin with.
    #[prost(bytes = "bytes", tag = "1")]
    pub prefix: Bytes,
    /// The key after which to begin.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub after: Option<Bytes>,
    /// How many at the most.
    #[prost(uint32, tag = "3")]
    pub limit: u32,
}

/// A time span.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct DurationV2 {
    /// Whole seconds.
    #[prost(uint64, tag = "1")]
    pub seconds: u64,
    /// The rest, below 10^9.
    #[prost(uint32, tag = "2")]
    pub nanoseconds: u32,
}

/// A timer that is set.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct TimerV2 {
    /// Its name; required.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The method; required.
    #[prost(string, tag = "2")]
    pub route: String,
    /// The encoded request message.
    #[prost(bytes = "bytes", tag = "3")]
    pub payload: Bytes,
    /// When; required.
    #[prost(oneof = "schedule_v2::Kind", tags = "4, 5, 6, 7")]
    pub schedule: Option<schedule_v2::Kind>,
}

/// The arms of a timer's schedule.
pub mod schedule_v2 {
    /// When a timer is due.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Kind {
        /// Once, after that time.
        #[prost(message, tag = "4")]
        After(super::DurationV2),
        /// Once, at that time.
        #[prost(message, tag = "5")]
        At(super::TimestampV1),
        /// Again and again.
        #[prost(message, tag = "6")]
        Every(super::DurationV2),
        /// At the times of a cron expression.
        #[prost(string, tag = "7")]
        Cron(String),
    }
}

/// An operation with a key; each operation has some of the fields.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CryptoV2 {
    /// The key's name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The message, plaintext, ciphertext, or the peer's public key.
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    /// What it belongs to, or is for.
    #[prost(bytes = "bytes", tag = "3")]
    pub context: Bytes,
    /// The name of the new key.
    #[prost(string, tag = "4")]
    pub into: String,
    /// The signature or tag to verify.
    #[prost(bytes = "bytes", tag = "5")]
    pub proof: Bytes,
    /// The public key to verify a signature.
    #[prost(bytes = "bytes", tag = "6")]
    pub public_key: Bytes,
    /// Of a public key: 1 to sign, 2 to agree. Of a hash: 1 is SHA-256, 2 is SHA-512.
    #[prost(uint32, tag = "7")]
    pub choice: u32,
}

/// A setting or secret, if there is one.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MaybeV2 {
    /// Its value.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub value: Option<Bytes>,
}

/// A wish for randomness.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct RandomV2 {
    /// How many bytes.
    #[prost(uint32, tag = "1")]
    pub bytes: u32,
}

/// An error that has no caller to go to.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ErrorEventV2 {
    /// The error; required.
    #[prost(message, optional, tag = "1")]
    pub source: Option<ErrorV2>,
    /// 1 a handler panicked, 2 a handler failed, 3 signaling, 4 transport, 5 delivery uncertain.
    #[prost(uint32, tag = "2")]
    pub category: u32,
    /// Where, for people.
    #[prost(string, tag = "3")]
    pub context: String,
    /// When.
    #[prost(message, optional, tag = "4")]
    pub timestamp: Option<TimestampV1>,
}

/// Something that happened around the actor: which, says the hook's number beside it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct RuntimeV2 {
    /// Of link hooks.
    #[prost(message, optional, tag = "1")]
    pub peer: Option<PeerEventV1>,
    /// Of credential hooks.
    #[prost(message, optional, tag = "2")]
    pub new_expiry: Option<TimestampV1>,
    /// Of the backpressure hook.
    #[prost(message, optional, tag = "3")]
    pub backpressure: Option<BackpressureEventV1>,
}
