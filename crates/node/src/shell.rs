//! The application's end of a node: what actors send to their shell.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use playhouse_store::OutId;
use playhouse_types::{ActorError, ActorId, Code, DataChunk, ErrorKind, PayloadClass, RouteKey, StreamId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::keeper::Keeper;
use crate::scope::{Scope, within_shell};

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
    /// Which message of the node's store it is, if it is one: a tell, which is kept until the handler has returned. After a crash it may come
    /// again, with the same number; no other message of the store has it.
    pub id: Option<u64>,
}

pub(crate) type ShellFuture = Pin<Box<dyn Future<Output = Result<Bytes, ActorError>> + Send>>;
pub(crate) type ShellHandler = Box<dyn Fn(ShellMessage) -> ShellFuture + Send + Sync>;

/// Chunks that wait for the application, per stream. The same as for an actor.
pub(crate) const STREAM_CHUNKS_MAX: usize = 64;
/// Tells that wait for the application. The same as for an actor.
pub(crate) const TELLS_MAX: usize = 1024;

/// Bytes of tells that wait for the application, and of the chunks of each stream. The same as for the mailbox of an actor.
const BYTES_MAX: usize = 64 << 20;

/// Room for so many bytes.
type Room = Arc<Semaphore>;

fn room() -> Room {
    Arc::new(Semaphore::new(BYTES_MAX))
}

/// What so many bytes take of it: all of it, if they are more.
fn share(bytes: usize) -> u32 {
    u32::try_from(bytes.min(BYTES_MAX)).unwrap_or(u32::MAX)
}

/// A tell that waits for the application.
struct Told {
    message: ShellMessage,
    /// The room that it takes until it has been handled.
    taken: OwnedSemaphorePermit,
    /// Who keeps it until it has been handled.
    kept: Option<(Arc<Keeper>, OutId)>,
}

/// What became of a tell that is kept.
pub(crate) enum Handed {
    /// The application has it; who keeps it hears when it has been handled.
    Yes,
    /// Too many wait already.
    Full,
    Refused(ActorError),
}

/// A chunk that waits for the application, its sender, and the room that it takes.
type Sent = (ActorId, DataChunk, OwnedSemaphorePermit);

/// Where the chunks of a stream go.
#[derive(Debug, Clone)]
struct Inlet {
    chunks: mpsc::Sender<Sent>,
    room: Room,
}

type Streams = Arc<Mutex<HashMap<StreamId, Inlet>>>;

pub(crate) struct Shell {
    handler: Option<Arc<ShellHandler>>,
    tells: mpsc::Sender<Told>,
    room: Room,
    streams: Streams,
}

impl Shell {
    /// The application's end; a task hands it tells one after the other.
    pub(crate) fn new(handler: Option<ShellHandler>, runtime: &Handle) -> Self {
        let handler = handler.map(Arc::new);
        let (tells, mut told) = mpsc::channel::<Told>(TELLS_MAX);
        let all = room();
        if let Some(handler) = handler.clone() {
            let room = Arc::clone(&all);
            runtime.spawn(async move {
                while let Some(Told { message, taken, kept }) = told.recv().await {
                    if let Err(error) = contained(&handler, message).await {
                        tracing::warn!(%error, "the application failed to handle a tell");
                    }
                    drop(taken);
                    if let Some((keeper, id)) = kept {
                        keeper.told(id);
                        if room.available_permits() * 2 >= BYTES_MAX {
                            keeper.tell_more();
                        }
                    }
                }
            });
        }
        Self { handler, tells, room: all, streams: Arc::default() }
    }

    /// Hands a request to the application's handler. The calls that the handler makes while it runs belong to the scope.
    pub(crate) fn call(&self, message: ShellMessage, scope: Scope) -> Result<ShellFuture, ActorError> {
        let handler = self.handler.as_ref().ok_or_else(|| missing(&message.from, &message.route))?;
        Ok(Box::pin(within_shell(scope, contained(handler, message))))
    }

    /// Whether the application takes messages at all.
    pub(crate) fn check(&self, from: &ActorId, route: &RouteKey) -> Result<(), ActorError> {
        match self.handler {
            Some(_) => Ok(()),
            None => Err(missing(from, route)),
        }
    }

    /// Queues a message for the application; waits while the queue is full.
    pub(crate) async fn tell(&self, message: ShellMessage) -> Result<(), ActorError> {
        self.check(&message.from, &message.route)?;
        let taken = Arc::clone(&self.room).acquire_many_owned(share(message.payload.len())).await;
        let Ok(taken) = taken else { return Err(missing(&message.from, &message.route)) };
        let sent = self.tells.send(Told { message, taken, kept: None }).await;
        sent.map_err(|back| missing(&back.0.message.from, &back.0.message.route))
    }

    /// Queues a message for the application that is kept until it has been handled, if there is room.
    pub(crate) fn hand(&self, message: ShellMessage, keeper: &Arc<Keeper>, id: OutId) -> Handed {
        if let Err(error) = self.check(&message.from, &message.route) {
            return Handed::Refused(error);
        }
        let Ok(taken) = Arc::clone(&self.room).try_acquire_many_owned(share(message.payload.len())) else {
            keeper.not_told(id);
            return Handed::Full;
        };
        // Before it can be handled.
        keeper.tell(id);
        let told = Told { message, taken, kept: Some((Arc::clone(keeper), id)) };
        if self.tells.try_send(told).is_err() {
            keeper.not_told(id);
            return Handed::Full;
        }
        Handed::Yes
    }

    pub(crate) fn open_stream(&self, stream_id: StreamId) -> ShellStream {
        let (chunks, receiver) = mpsc::channel(STREAM_CHUNKS_MAX);
        let inlet = Inlet { chunks, room: room() };
        let room = Arc::clone(&inlet.room);
        self.streams.lock().insert(stream_id.clone(), inlet);
        ShellStream { stream_id, receiver, room, streams: Arc::clone(&self.streams) }
    }

    /// Sends a chunk to the application. Waits while a reliable stream is full; drops a latency-first chunk then.
    pub(crate) async fn send_chunk(
        &self,
        from: ActorId,
        chunk: DataChunk,
        class: PayloadClass,
    ) -> Result<(), ActorError> {
        let inlet = self.streams.lock().get(&chunk.stream_id).cloned();
        let Some(Inlet { chunks, room }) = inlet else {
            let text = format!("the application has not registered stream {}", chunk.stream_id);
            return Err(ActorError::coded(ErrorKind::NotFound, Code::StreamUnknown, text));
        };
        let bytes = share(chunk.payload.len());
        if class == PayloadClass::StreamLatencyFirst {
            if let Ok(taken) = room.try_acquire_many_owned(bytes) {
                let _ = chunks.try_send((from, chunk, taken));
            }
            return Ok(());
        }
        let closed =
            || ActorError::coded(ErrorKind::NotFound, Code::StreamUnknown, "the application has closed the stream");
        let taken = room.acquire_many_owned(bytes).await.map_err(|_| closed())?;
        chunks.send((from, chunk, taken)).await.map_err(|_| closed())
    }
}

fn missing(from: &ActorId, route: &RouteKey) -> ActorError {
    let text = format!("{from} sent {route} to its shell, which has no handler");
    ActorError::coded(ErrorKind::Unavailable, Code::ShellMissing, text)
}

/// The handler's answer; its panic is an error of the application, not of the actor that asked.
fn contained(
    handler: &Arc<ShellHandler>,
    message: ShellMessage,
) -> impl Future<Output = Result<Bytes, ActorError>> + use<> {
    let handler = Arc::clone(handler);
    async move {
        let handled = AssertUnwindSafe(async { handler(message).await }).catch_unwind().await;
        let panicked =
            || ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the application's handler panicked");
        handled.unwrap_or_else(|_| Err(panicked()))
    }
}

/// A stream that the application receives. Dropping it closes the stream.
#[derive(Debug)]
pub struct ShellStream {
    stream_id: StreamId,
    receiver: mpsc::Receiver<Sent>,
    room: Room,
    streams: Streams,
}

impl ShellStream {
    /// Awaits the next chunk and its sender; none if the stream was registered again. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<(ActorId, DataChunk)> {
        self.receiver.recv().await.map(|(from, chunk, _)| (from, chunk))
    }
}

impl Drop for ShellStream {
    fn drop(&mut self) {
        self.receiver.close();
        self.room.close();
        let mut streams = self.streams.lock();
        if streams.get(&self.stream_id).is_some_and(|inlet| inlet.chunks.is_closed()) {
            streams.remove(&self.stream_id);
        }
    }
}

#[cfg(test)]
mod tests;
