mod keys;
#[cfg(not(target_family = "wasm"))]
mod operations;
mod state;
mod timers;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use playhouse_types::{
    ActorError, ActorId, ActorType, Code, DataChunk, Dest, ErrorKind, HostOp, HostReply, Label, LogLevel, LogText,
    PayloadClass, RequestId, RouteKey, StreamId, Timestamp,
};

pub use keys::Keys;
pub use state::{Scanned, State};
pub use timers::Timers;

#[cfg(target_family = "wasm")]
use crate::wasm::operations;

/// A host operation under way. Dropping it gives the operation up.
pub type Operation = Pin<Box<dyn Future<Output = Result<HostReply, ActorError>> + Send>>;

/// What a [`Context`] stands on: the ABI of a guest, or the engine of a linked actor.
pub trait Backend: Send + Sync {
    /// The actor that handles the event.
    fn self_id(&self) -> &ActorId;
    /// Who sent the event, if an actor did.
    fn caller(&self) -> Option<&ActorId>;
    /// The request that the event belongs to.
    fn request_id(&self) -> &RequestId;
    /// Time until whoever waits for the event gives up; none if nobody does, or where the ABI does not say it.
    fn time_left(&self) -> Option<Duration> {
        None
    }
    /// Asks something of the host.
    fn perform(&self, op: HostOp) -> Operation;
    /// Writes to the actor's log.
    fn log(&self, level: LogLevel, text: &str);
}

/// What a handler may ask: who it is, who called, and every host operation.
#[derive(Clone, Copy)]
pub struct Context<'a>(&'a dyn Backend);

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("self_id", self.0.self_id()).finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// A context on a backend. Only engines need this.
    #[must_use]
    pub fn new(backend: &'a dyn Backend) -> Self {
        Self(backend)
    }

    /// The actor that handles the event.
    #[must_use]
    pub fn self_id(&self) -> &'a ActorId {
        self.0.self_id()
    }

    /// The actor that sent the request or chunk; none if the embedding application did.
    #[must_use]
    pub fn caller(&self) -> Option<&'a ActorId> {
        self.0.caller()
    }

    /// The request that the event belongs to.
    #[must_use]
    pub fn request_id(&self) -> &'a RequestId {
        self.0.request_id()
    }

    /// Time until whoever waits for the event gives up, zero if that has passed; none if nobody does. Native guests in hosts of
    /// actr 0.3 are not told: for them it is always none.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.0.time_left()
    }

    /// Sends a request and awaits the reply's bytes. Typed clients are easier.
    ///
    /// # Errors
    /// The callee's error, or why it could not be reached in time.
    pub async fn call(self, dest: Dest, route: RouteKey, payload: Bytes) -> Result<Bytes, ActorError> {
        match self.0.perform(HostOp::Call { dest, route, payload }).await? {
            HostReply::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends a request whose answer nobody awaits; returns once it is accepted.
    ///
    /// # Errors
    /// If the message was not accepted.
    pub async fn tell(self, dest: Dest, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        self.done(HostOp::Tell { dest, route, payload }).await
    }

    /// Finds an actor of exactly that type.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none.
    pub async fn discover(self, actor_type: ActorType) -> Result<ActorId, ActorError> {
        match self.0.perform(HostOp::Discover { actor_type }).await? {
            HostReply::Actor(id) => Ok(id),
            other => Err(unexpected(&other)),
        }
    }

    /// Has chunks of that stream delivered to `on_chunk` from now on.
    ///
    /// # Errors
    /// If the actor has registered too many streams.
    pub async fn register_stream(self, stream_id: StreamId) -> Result<(), ActorError> {
        self.done(HostOp::RegisterStream { stream_id }).await
    }

    /// Ends what [`Context::register_stream`] began.
    ///
    /// # Errors
    /// None today; hosts of later versions may refuse.
    pub async fn unregister_stream(self, stream_id: StreamId) -> Result<(), ActorError> {
        self.done(HostOp::UnregisterStream { stream_id }).await
    }

    /// Sends one chunk. With [`PayloadClass::StreamReliable`] it waits while the receiver is full.
    ///
    /// # Errors
    /// If the receiver does not know the stream, or dropped a latency-first chunk.
    pub async fn send_chunk(self, dest: Dest, chunk: DataChunk, class: PayloadClass) -> Result<(), ActorError> {
        self.done(HostOp::SendChunk { dest, chunk, class }).await
    }

    /// The actor's private state.
    #[must_use]
    pub fn state(self) -> State<'a> {
        State(self)
    }

    /// The actor's timers.
    #[must_use]
    pub fn timers(self) -> Timers<'a> {
        Timers(self)
    }

    /// The actor's keys.
    #[must_use]
    pub fn keys(self) -> Keys<'a> {
        Keys(self)
    }

    /// A setting that the node's configuration gives the actor. Needs the grant `config`.
    ///
    /// # Errors
    /// If the name is no label, the grant is missing, or the setting is not text.
    pub async fn config(self, name: &str) -> Result<Option<String>, ActorError> {
        let Some(value) = maybe(operations::config(self.0, &label(name)?)).await? else { return Ok(None) };
        let text = String::from_utf8(value.into());
        text.map(Some).map_err(|_| ActorError::new(ErrorKind::DecodeFailure, format!("setting {name:?} is not UTF-8")))
    }

    /// A secret that the node's configuration gives the actor. Needs the grant `secrets`.
    ///
    /// # Errors
    /// If the name is no label or the grant is missing.
    pub async fn secret(self, name: &str) -> Result<Option<Bytes>, ActorError> {
        maybe(operations::secret(self.0, &label(name)?)).await
    }

    /// Bytes that nobody can predict, at most 64 KiB. Needs the grant `random`.
    ///
    /// # Errors
    /// If that is too many, or the grant is missing.
    pub async fn random(self, bytes: u32) -> Result<Bytes, ActorError> {
        match operations::random(self.0, bytes).await? {
            HostReply::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected(&other)),
        }
    }

    /// The time of day. Needs the grant `clock`.
    ///
    /// # Errors
    /// If the grant is missing.
    pub async fn now(self) -> Result<Timestamp, ActorError> {
        match operations::now(self.0).await? {
            HostReply::Time(time) => Ok(time),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes to the actor's log.
    pub fn log(&self, level: LogLevel, text: &str) {
        self.0.log(level, text);
    }

    /// Writes to the actor's log, with fields for programs that read it:
    /// `cx.log_with(LogLevel::Info, &LogText::new("order taken").with("order", 17))`.
    pub fn log_with(&self, level: LogLevel, text: &LogText) {
        operations::log(self.0, level, text);
    }

    async fn done(self, op: HostOp) -> Result<(), ActorError> {
        self.0.perform(op).await.map(|_| ())
    }
}

async fn maybe(operation: Operation) -> Result<Option<Bytes>, ActorError> {
    match operation.await? {
        HostReply::Maybe(value) => Ok(value),
        other => Err(unexpected(&other)),
    }
}

fn label(text: &str) -> Result<Label, ActorError> {
    text.parse()
        .map_err(|error: playhouse_types::ParseError| ActorError::new(ErrorKind::InvalidArgument, error.to_string()))
}

/// Without what it holds, which may be a secret.
fn unexpected(_reply: &HostReply) -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, "the host gave an answer to another operation")
}

/// Something through which requests can be sent: a handler's [`Context`], or a handle of an embedding application.
/// Typed clients are generic over it.
pub trait Caller {
    /// Sends a request and awaits the reply's bytes.
    fn call(
        &self,
        dest: Dest,
        route: RouteKey,
        payload: Bytes,
    ) -> impl Future<Output = Result<Bytes, ActorError>> + Send;

    /// Sends a request whose answer nobody awaits.
    fn tell(&self, dest: Dest, route: RouteKey, payload: Bytes) -> impl Future<Output = Result<(), ActorError>> + Send;
}

impl Caller for Context<'_> {
    fn call(
        &self,
        dest: Dest,
        route: RouteKey,
        payload: Bytes,
    ) -> impl Future<Output = Result<Bytes, ActorError>> + Send {
        Context::call(*self, dest, route, payload)
    }

    fn tell(&self, dest: Dest, route: RouteKey, payload: Bytes) -> impl Future<Output = Result<(), ActorError>> + Send {
        Context::tell(*self, dest, route, payload)
    }
}
