use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::limits::STREAM_ID_BYTES_MAX;
use crate::name::ParseError;

/// The name of a data stream between two actors: 1 to 256 bytes. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Err(ParseError::new("stream id", text, "is empty"));
        }
        if text.len() > STREAM_ID_BYTES_MAX {
            return Err(ParseError::new("stream id", text, "is longer than 256 bytes"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// One piece of a data stream.
#[derive(Clone, PartialEq, Eq)]
pub struct DataChunk {
    /// The stream that it belongs to.
    pub stream_id: StreamId,
    /// Counted per stream by the sending application, from 0.
    pub sequence: u64,
    /// The data.
    pub payload: Bytes,
    /// Free key-value pairs.
    pub metadata: Vec<(String, String)>,
    /// Milliseconds since the Unix epoch, if the sender said.
    pub timestamp_ms: Option<i64>,
}

impl fmt::Debug for DataChunk {
    /// Shows how large the data is and not what it is, which is long and nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataChunk")
            .field("stream_id", &self.stream_id)
            .field("sequence", &self.sequence)
            .field("payload_bytes", &self.payload.len())
            .field("metadata_entries", &self.metadata.len())
            .field("timestamp_ms", &self.timestamp_ms)
            .finish()
    }
}

/// How a message travels. One lane each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadClass {
    /// Requests and replies, ordered and reliable.
    RpcReliable,
    /// Requests that overtake those in the receiver's mailbox.
    RpcSignal,
    /// Stream chunks, ordered and reliable: a full receiver makes the sender wait.
    StreamReliable,
    /// Stream chunks that may be lost: a full receiver drops the newest.
    StreamLatencyFirst,
    /// Media; never a message.
    MediaRtp,
}

impl PayloadClass {
    /// The number of the class in every format of actr 0.3.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::RpcReliable => 0,
            Self::RpcSignal => 1,
            Self::StreamReliable => 2,
            Self::StreamLatencyFirst => 3,
            Self::MediaRtp => 4,
        }
    }

    /// The class with that number.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::RpcReliable),
            1 => Some(Self::RpcSignal),
            2 => Some(Self::StreamReliable),
            3 => Some(Self::StreamLatencyFirst),
            4 => Some(Self::MediaRtp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DataChunk, PayloadClass, StreamId};
    use crate::limits::STREAM_ID_BYTES_MAX;

    #[test]
    fn stream_ids_have_a_length() {
        assert!("".parse::<StreamId>().is_err());
        assert!("s".repeat(STREAM_ID_BYTES_MAX).parse::<StreamId>().is_ok());
        assert!("s".repeat(STREAM_ID_BYTES_MAX + 1).parse::<StreamId>().is_err());
    }

    #[test]
    fn classes_have_the_numbers_of_the_specification() {
        for number in -1..6 {
            assert_eq!(
                PayloadClass::from_number(number).map(PayloadClass::number),
                (0..5).contains(&number).then_some(number)
            );
        }
    }

    #[test]
    fn debug_output_has_no_data() {
        let metadata = vec![("key".to_owned(), "canary".to_owned())];
        let stream_id = "s".parse().expect("an id");
        let chunk = DataChunk { stream_id, sequence: 1, payload: "canary".into(), metadata, timestamp_ms: None };
        assert!(!format!("{chunk:?}").contains("canary"));
    }
}
