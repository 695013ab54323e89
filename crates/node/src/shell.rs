//! The application's end of a node: what actors send to their shell.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_types::{ActorError, ActorId, Code, DataChunk, ErrorKind, PayloadClass, RouteKey, StreamId};
use tokio::sync::mpsc;

/// A message of an actor to the application that embeds the node.
#[derive(Debug, Clone)]
pub struct ShellMessage {
    /// The actor.
    pub from: ActorId,
    /// Which method.
    pub route: RouteKey,
    /// The encoded request message.
    pub payload: Bytes,
    /// Whether the actor awaits the reply.
    pub awaited: bool,
}

pub(crate) type ShellFuture = Pin<Box<dyn Future<Output = Result<Bytes, ActorError>> + Send>>;
pub(crate) type ShellHandler = Box<dyn Fn(ShellMessage) -> ShellFuture + Send + Sync>;

/// Chunks that wait for the application, per stream. The same as for an actor.
pub(crate) const STREAM_CHUNKS_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Shell {
    handler: Option<ShellHandler>,
    streams: Arc<Mutex<HashMap<StreamId, mpsc::Sender<(ActorId, DataChunk)>>>>,
}

impl Shell {
    pub(crate) fn new(handler: Option<ShellHandler>) -> Self {
        Self { handler, streams: Arc::default() }
    }

    /// Hands a message to the application's handler.
    pub(crate) fn send(&self, message: ShellMessage) -> Result<ShellFuture, ActorError> {
        let handler = self.handler.as_ref().ok_or_else(|| {
            let text = format!("{} sent {} to its shell, which has no handler", message.from, message.route);
            ActorError::coded(ErrorKind::Unavailable, Code::ShellMissing, text)
        })?;
        Ok(handler(message))
    }

    pub(crate) fn open_stream(&self, stream_id: StreamId) -> ShellStream {
        let (sender, receiver) = mpsc::channel(STREAM_CHUNKS_MAX);
        self.streams.lock().insert(stream_id.clone(), sender);
        ShellStream { stream_id, receiver, streams: Arc::clone(&self.streams) }
    }

    /// Sends a chunk to the application. Waits while a reliable stream is full; drops a latency-first chunk then.
    pub(crate) async fn send_chunk(
        &self,
        from: ActorId,
        chunk: DataChunk,
        class: PayloadClass,
    ) -> Result<(), ActorError> {
        let sender = self.streams.lock().get(&chunk.stream_id).cloned();
        let Some(sender) = sender else {
            let text = format!("the application has not registered stream {}", chunk.stream_id);
            return Err(ActorError::coded(ErrorKind::NotFound, Code::StreamUnknown, text));
        };
        if class == PayloadClass::StreamLatencyFirst {
            let _ = sender.try_send((from, chunk));
            return Ok(());
        }
        sender.send((from, chunk)).await.map_err(|_| {
            ActorError::coded(ErrorKind::NotFound, Code::StreamUnknown, "the application has closed the stream")
        })
    }
}

/// A stream that the application receives. Dropping it closes the stream.
#[derive(Debug)]
pub struct ShellStream {
    stream_id: StreamId,
    receiver: mpsc::Receiver<(ActorId, DataChunk)>,
    streams: Arc<Mutex<HashMap<StreamId, mpsc::Sender<(ActorId, DataChunk)>>>>,
}

impl ShellStream {
    /// Awaits the next chunk and its sender; none if the stream was registered again. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<(ActorId, DataChunk)> {
        self.receiver.recv().await
    }
}

impl Drop for ShellStream {
    fn drop(&mut self) {
        self.receiver.close();
        let mut streams = self.streams.lock();
        if streams.get(&self.stream_id).is_some_and(mpsc::Sender::is_closed) {
            streams.remove(&self.stream_id);
        }
    }
}
