use std::time::Instant;

use playhouse_node::{ActorRef, EngineKind};
use sink::proto::{TotalRequest, TotalResponse};
use source::proto::{StreamRequest, StreamResponse};

use super::report::StreamRow;
use super::stage::{Stage, ask, name_of};
use super::wrong;
use crate::error::Result;

const CHUNKS: u32 = 100;
const CHUNK_BYTES: u32 = 4096;

/// Every source streams to every sink, and every sink has received everything in order.
pub(super) async fn flow(stage: &Stage) -> Result<Vec<StreamRow>> {
    let mut rows = Vec::new();
    for (source, from) in stage.actors("Source") {
        for (sink, to) in stage.actors("Sink") {
            rows.push(stream(source, from, sink, to).await?);
        }
    }
    Ok(rows)
}

async fn stream(source: &ActorRef, from: EngineKind, sink: &ActorRef, to: EngineKind) -> Result<StreamRow> {
    let before: TotalResponse = ask(sink, "sink.SinkService.Total", &TotalRequest {}).await?;
    let request = StreamRequest {
        sink_type: sink.id().actor_type().to_string(),
        stream_id: format!("{}-to-{}", name_of(source.id()), name_of(sink.id())),
        chunks: CHUNKS,
        chunk_bytes: CHUNK_BYTES,
        latency_first: false,
    };
    let start = Instant::now();
    let sent: StreamResponse = ask(source, "source.SourceService.Stream", &request).await?;
    let received = received(sink, before.chunks + sent.accepted).await?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = received.bytes - before.bytes;
    if sent.accepted != u64::from(CHUNKS) || received.out_of_order > 0 || bytes != u64::from(CHUNKS * CHUNK_BYTES) {
        return Err(wrong(format!("of {CHUNKS} chunks sent, {sent:?} were accepted and {received:?} received")));
    }
    Ok(StreamRow {
        from: name_of(source.id()),
        from_engine: from.name(),
        to: name_of(sink.id()),
        to_engine: to.name(),
        chunks: received.chunks - before.chunks,
        bytes,
        in_order: true,
        mib_per_s: bytes as f64 / f64::from(1 << 20) / seconds,
    })
}

/// What the sink has received once it has so many chunks. Chunks wait before requests in its mailbox, so that it soon has.
async fn received(sink: &ActorRef, chunks: u64) -> Result<TotalResponse> {
    const ASKED_MAX: usize = 1000;
    let mut total = TotalResponse::default();
    for _ in 0..ASKED_MAX {
        total = ask(sink, "sink.SinkService.Total", &TotalRequest {}).await?;
        if total.chunks >= chunks {
            break;
        }
    }
    Ok(total)
}
