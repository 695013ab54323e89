use bytes::Bytes;

/// Which lane a message takes. Unknown numbers read as the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum PayloadType {
    RpcReliable = 0,
    RpcSignal = 1,
    StreamReliable = 2,
    StreamLatencyFirst = 3,
    MediaRtp = 4,
}

/// A failure as peers see it.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct ErrorResponse {
    /// What kind, as an HTTP status or a number above 10000.
    #[prost(uint32, required, tag = "1")]
    pub code: u32,
    /// For people.
    #[prost(string, required, tag = "2")]
    pub message: String,
}

/// A key and a value.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct MetadataEntry {
    /// The key.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

/// A request, a tell or a response.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RpcEnvelope {
    /// The method.
    #[prost(string, required, tag = "1")]
    pub route_key: String,
    /// The encoded message; present even if empty, absent only where `error` is present.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub payload: Option<Bytes>,
    /// The failure, in a response.
    #[prost(message, optional, tag = "3")]
    pub error: Option<ErrorResponse>,
    /// W3C trace context.
    #[prost(string, optional, tag = "100")]
    pub traceparent: Option<String>,
    /// W3C trace context.
    #[prost(string, optional, tag = "101")]
    pub tracestate: Option<String>,
    /// What tells this request from others of its caller.
    #[prost(string, required, tag = "102")]
    pub request_id: String,
    /// Free entries; actr 0.3 sends none.
    #[prost(message, repeated, tag = "103")]
    pub metadata: Vec<MetadataEntry>,
    /// Milliseconds that the caller waits; zero for a tell.
    #[prost(int64, required, tag = "104")]
    pub timeout_ms: i64,
}

/// One chunk of a data stream.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DataStream {
    /// The stream.
    #[prost(string, required, tag = "1")]
    pub stream_id: String,
    /// Counted by the sender from 0.
    #[prost(uint64, required, tag = "2")]
    pub sequence: u64,
    /// The data.
    #[prost(bytes = "bytes", required, tag = "3")]
    pub payload: Bytes,
    /// Free entries.
    #[prost(message, repeated, tag = "4")]
    pub metadata: Vec<MetadataEntry>,
    /// Milliseconds since the Unix epoch.
    #[prost(int64, optional, tag = "5")]
    pub timestamp_ms: Option<i64>,
}
