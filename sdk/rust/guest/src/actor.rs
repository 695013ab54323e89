use std::future::Future;

use bytes::Bytes;
use playhouse_types::{ActorError, ActorId, DataChunk, ErrorEvent, RouteKey, RuntimeEvent};

use crate::context::Context;

/// An actor that handles one message at a time, and so may change itself freely. Every hook has a default that does nothing.
///
/// Guests that run as wasm or native libraries are polled once: a handler may await host operations and other handlers, but no
/// timer and no socket of its own.
pub trait Actor: Send + 'static {
    /// Runs once, before requests. An error keeps the actor from starting.
    fn on_start(&mut self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Runs once, when the node can receive.
    fn on_ready(&mut self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Runs once, before the end.
    fn on_stop(&mut self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Hears of errors that no caller hears of.
    fn on_error(
        &mut self,
        _cx: Context<'_>,
        _event: ErrorEvent,
    ) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Hears of the node's links, credential and mailbox.
    fn on_runtime(&mut self, _cx: Context<'_>, _event: RuntimeEvent) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Receives a chunk of a stream that this actor registered.
    fn on_chunk(
        &mut self,
        _cx: Context<'_>,
        chunk: DataChunk,
        _sender: ActorId,
    ) -> impl Future<Output = Result<(), ActorError>> + Send {
        async move { Err(no_callback(&chunk)) }
    }
}

/// Which requests an actor answers. [`crate::services!`] writes it.
pub trait Dispatch: Actor {
    /// Handles a request, or says that the route is unknown.
    fn dispatch(
        &mut self,
        cx: Context<'_>,
        route: &RouteKey,
        payload: Bytes,
    ) -> impl Future<Output = Result<Bytes, ActorError>> + Send;
}

/// An actor that handles several messages at the same time, and so guards its own state. Only linked actors can be shared.
pub trait SharedActor: Send + Sync + 'static {
    /// Runs once, before requests. An error keeps the actor from starting.
    fn on_start(&self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Runs once, when the node can receive.
    fn on_ready(&self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Runs once, before the end.
    fn on_stop(&self, _cx: Context<'_>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Hears of errors that no caller hears of.
    fn on_error(&self, _cx: Context<'_>, _event: ErrorEvent) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Hears of the node's links, credential and mailbox.
    fn on_runtime(&self, _cx: Context<'_>, _event: RuntimeEvent) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Receives a chunk of a stream that this actor registered.
    fn on_chunk(
        &self,
        _cx: Context<'_>,
        chunk: DataChunk,
        _sender: ActorId,
    ) -> impl Future<Output = Result<(), ActorError>> + Send {
        async move { Err(no_callback(&chunk)) }
    }
}

/// Which requests a shared actor answers. [`crate::services!`] writes it.
pub trait SharedDispatch: SharedActor {
    /// Handles a request, or says that the route is unknown.
    fn dispatch(
        &self,
        cx: Context<'_>,
        route: &RouteKey,
        payload: Bytes,
    ) -> impl Future<Output = Result<Bytes, ActorError>> + Send;
}

fn no_callback(chunk: &DataChunk) -> ActorError {
    use playhouse_types::ErrorKind;
    ActorError::new(ErrorKind::NotFound, format!("no stream callback registered for '{}'", chunk.stream_id))
}
