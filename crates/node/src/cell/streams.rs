//! Data streams into an actor: which it has registered, and how far a sender may be ahead.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use playhouse_scheduler::{CallChain, Priority};
use playhouse_types::limits::STREAMS_PER_ACTOR_MAX;
use playhouse_types::{ActorError, ActorId, Code, DataChunk, ErrorKind, Event, PayloadClass, StreamId};
use tokio::sync::Semaphore;

use super::outcome::Then;
use super::{Cell, Envelope, Work};
use crate::shell::STREAM_CHUNKS_MAX;

/// The registered streams; each semaphore has a permit for every chunk that may still be sent.
#[derive(Default)]
pub(super) struct Streams(HashMap<StreamId, Arc<Semaphore>>);

impl Streams {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All streams, to be closed: a workload that is gone receives nothing more.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.0.values().for_each(|credit| credit.close());
    }
}

impl Cell {
    pub(super) fn register_stream(&self, stream_id: StreamId) -> Result<(), ActorError> {
        let mut gate = self.gate.lock();
        let streams = &mut gate.extras().streams.0;
        if !streams.contains_key(&stream_id) && streams.len() >= STREAMS_PER_ACTOR_MAX {
            let text = format!("{} has registered {STREAMS_PER_ACTOR_MAX} streams, the limit", self.id);
            return Err(ActorError::coded(ErrorKind::Unavailable, Code::StreamLimit, text));
        }
        // Where messages overtake each other, order needs one chunk at a time.
        let credit = if self.setup.serial { STREAM_CHUNKS_MAX } else { 1 };
        streams.entry(stream_id).or_insert_with(|| Arc::new(Semaphore::new(credit)));
        Ok(())
    }

    pub(super) fn unregister_stream(&self, stream_id: &StreamId) {
        let removed = self.gate.lock().extras().streams.0.remove(stream_id);
        if let Some(credit) = removed {
            credit.close();
        }
    }

    /// Queues a chunk. Waits while a reliable stream is full; drops a latency-first chunk then.
    pub(crate) async fn receive_chunk(
        self: &Arc<Self>,
        sender: ActorId,
        chunk: DataChunk,
        class: PayloadClass,
        deadline: Instant,
    ) -> Result<(), ActorError> {
        if chunk.payload.len() > self.node.given.policy.message_bytes_max {
            return Err(self.too_large(chunk.payload.len()));
        }
        let reliable = is_reliable(class)?;
        let credit = self.gate.lock().extras().streams.0.get(&chunk.stream_id).cloned();
        let Some(credit) = credit else { return Err(self.unknown_stream(&chunk.stream_id)) };
        let permit = if reliable {
            let stream_id = chunk.stream_id.clone();
            let acquired = self.node.until(deadline, credit.acquire_owned()).await;
            acquired.ok_or_else(|| self.stuck(&stream_id))?.map_err(|_| self.unknown_stream(&stream_id))?
        } else {
            let Ok(permit) = credit.try_acquire_owned() else {
                self.gate.lock().tallies.chunks_dropped += 1;
                return Ok(());
            };
            permit
        };
        let caller = (sender != self.id).then(|| sender.clone());
        let event = Event::Chunk { chunk, sender };
        let key = self.key(caller.as_ref(), &event);
        let Some(request_id) = event.request_id() else { return Ok(()) };
        let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root(), recorded: false };
        let work = Work { event, envelope, then: Then::Chunk(permit), wait: None, priority: Priority::Normal };
        if reliable { self.enqueue_when_room(work, key, deadline).await } else { self.offer_or_drop(work, key) }
    }

    fn unknown_stream(&self, stream_id: &StreamId) -> ActorError {
        let text = format!("{} has not registered stream {stream_id}", self.id);
        ActorError::coded(ErrorKind::NotFound, Code::StreamUnknown, text)
    }

    fn stuck(&self, stream_id: &StreamId) -> ActorError {
        let text = format!("{} did not take the next chunk of stream {stream_id} in time", self.id);
        ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text)
    }
}

/// Whether chunks of that class wait for room, rather than being dropped; an error if it is none of chunks.
pub(super) fn is_reliable(class: PayloadClass) -> Result<bool, ActorError> {
    match class {
        PayloadClass::StreamReliable => Ok(true),
        PayloadClass::StreamLatencyFirst => Ok(false),
        other => {
            let text = format!("a chunk cannot be sent as {other:?}");
            Err(ActorError::coded(ErrorKind::InvalidArgument, Code::StreamClass, text))
        }
    }
}
