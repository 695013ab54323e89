//! An actor that counts what streams to it.

use std::collections::BTreeMap;

use playhouse_guest::{Actor, ActorId, Context, DataChunk, Error, ErrorKind, StreamId, export, services};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("sink");
}

use proto::{SinkService, StreamRequest, StreamResponse, TotalRequest, TotalResponse};

/// The actor.
#[derive(Debug, Default)]
pub struct Sink {
    total: TotalResponse,
    /// The sequence expected next, of each open stream.
    next: BTreeMap<StreamId, u64>,
}

impl Actor for Sink {
    async fn on_chunk(&mut self, _cx: Context<'_>, chunk: DataChunk, _sender: ActorId) -> Result<(), Error> {
        let missing = || Error::new(ErrorKind::NotFound, format!("stream {} is not open", chunk.stream_id));
        let next = self.next.get_mut(&chunk.stream_id).ok_or_else(missing)?;
        self.total.chunks += 1;
        self.total.bytes += chunk.payload.len() as u64;
        self.total.out_of_order += u64::from(*next != chunk.sequence);
        *next = chunk.sequence.wrapping_add(1);
        Ok(())
    }
}

impl SinkService for Sink {
    async fn open(&mut self, cx: Context<'_>, request: StreamRequest) -> Result<StreamResponse, Error> {
        let stream_id = parse(&request.stream_id)?;
        cx.register_stream(stream_id.clone()).await?;
        self.next.insert(stream_id, 0);
        Ok(StreamResponse {})
    }

    async fn close(&mut self, cx: Context<'_>, request: StreamRequest) -> Result<StreamResponse, Error> {
        let stream_id = parse(&request.stream_id)?;
        self.next.remove(&stream_id);
        cx.unregister_stream(stream_id).await?;
        Ok(StreamResponse {})
    }

    async fn total(&mut self, _cx: Context<'_>, _request: TotalRequest) -> Result<TotalResponse, Error> {
        Ok(self.total)
    }
}

fn parse(stream_id: &str) -> Result<StreamId, Error> {
    stream_id.parse().map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("{error}")))
}

services!(Sink: SinkService);
export!(Sink);
