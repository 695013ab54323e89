//! An actor that streams to a sink.

use playhouse_guest::{
    Actor, Bytes, Code, Context, DataChunk, Dest, Error, ErrorKind, PayloadClass, StreamId, export, services,
};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("source");
}

/// What a sink looks like from outside.
pub mod sink {
    playhouse_guest::include_proto!("sink");
}

use proto::{SourceService, StreamRequest, StreamResponse};
use sink::SinkServiceClient;

/// The actor.
#[derive(Debug, Default)]
pub struct Source;

impl Actor for Source {}

impl SourceService for Source {
    async fn stream(&mut self, cx: Context<'_>, request: StreamRequest) -> Result<StreamResponse, Error> {
        let sink_type = request.sink_type.parse().map_err(invalid)?;
        let stream_id: StreamId = request.stream_id.parse().map_err(invalid)?;
        let dest = Dest::Actor(cx.discover(sink_type).await?);
        let sink = SinkServiceClient::new(cx, dest.clone());
        let stream = sink::StreamRequest { stream_id: request.stream_id };
        sink.open(&stream).await?;
        let class = if request.latency_first { PayloadClass::StreamLatencyFirst } else { PayloadClass::StreamReliable };
        let payload = Bytes::from(vec![b'.'; request.chunk_bytes as usize]);
        let mut response = StreamResponse::default();
        for sequence in 0..u64::from(request.chunks) {
            let chunk = DataChunk {
                stream_id: stream_id.clone(),
                sequence,
                payload: payload.clone(),
                metadata: Vec::new(),
                timestamp_ms: None,
            };
            match cx.send_chunk(dest.clone(), chunk, class).await {
                Ok(()) => response.accepted += 1,
                Err(error) if error.code() == Code::StreamDropped => response.dropped += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(response)
    }
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidArgument, error.to_string())
}

services!(Source: SourceService);
export!(Source);
