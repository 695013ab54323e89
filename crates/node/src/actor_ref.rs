//! Handles of single actors.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use playhouse_guest::Caller;
use playhouse_scheduler::CallChain;
use playhouse_store::ActorKey;
use playhouse_types::{ActorError, ActorId, Code, Dest, ErrorKind, RouteKey};

use crate::cell::{Cell, Request};
use crate::clock::after;
use crate::error::NodeError;
use crate::ids;
use crate::options::CallOptions;
use crate::scope;
use crate::status::ActorStatus;

/// A request of the application that nobody waits for in a chain.
pub(crate) fn request(route: RouteKey, payload: Bytes, options: CallOptions) -> Request {
    Request {
        route,
        payload,
        caller: None,
        client: options.client,
        request_id: options.request_id.unwrap_or_else(ids::request_id),
        deadline: after(options.timeout),
        chain: CallChain::root(),
        priority: options.priority,
    }
}

/// A handle of one actor. Cheap to clone; it does not keep the actor alive once that is stopped.
#[derive(Clone)]
pub struct ActorRef(pub(crate) Arc<Cell>);

impl std::fmt::Debug for ActorRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ActorRef").field(self.0.id()).finish()
    }
}

impl ActorRef {
    /// Who it is.
    #[must_use]
    pub fn id(&self) -> &ActorId {
        self.0.id()
    }

    /// By which key the node's store knows the actor, if the node has one.
    #[must_use]
    pub fn stored(&self) -> Option<ActorKey> {
        self.0.lease().map(|(actor, _)| actor)
    }

    /// What is to be known of it.
    #[must_use]
    pub fn status(&self) -> ActorStatus {
        self.0.status()
    }

    /// Sends a request and awaits the reply, 30 seconds at most.
    ///
    /// # Errors
    /// The actor's error, or why there is no reply.
    pub async fn call(&self, route: RouteKey, payload: Bytes) -> Result<Bytes, ActorError> {
        let request = request(route, payload, CallOptions::default());
        if scope::is_outside() { self.0.call(request).await } else { self.call_within(request).await }
    }

    /// Sends a request and awaits the reply.
    ///
    /// Within a handler of a serial actor, and within the application's handler of a message of an actor, a call is refused if it could
    /// only hang because that actor waits for its end. A task that the handler spawns is on its own.
    ///
    /// # Errors
    /// The actor's error, or why there is no reply.
    pub async fn call_with(&self, route: RouteKey, payload: Bytes, options: CallOptions) -> Result<Bytes, ActorError> {
        let request = request(route, payload, options);
        if scope::is_outside() { self.0.call(request).await } else { self.call_within(request).await }
    }

    /// A call from within a handler. Boxed, so that all others need not make room for it.
    fn call_within(&self, mut request: Request) -> Pin<Box<dyn Future<Output = Result<Bytes, ActorError>> + Send>> {
        let callee = Arc::clone(&self.0);
        Box::pin(async move {
            let (scope, _awaited) = scope::outgoing(callee.node())?;
            request.chain = scope.chain;
            request.deadline = scope.deadline.map_or(request.deadline, |deadline| deadline.min(request.deadline));
            callee.call(request).await
        })
    }

    /// Starts an actor again that was parked because it crashed too often; its crashes no longer count. Goes on when the future is
    /// dropped.
    ///
    /// # Errors
    /// [`NodeError::NotParked`]; [`NodeError::Start`] if it did not start, and then its supervisor decides whether to try again.
    pub async fn resume(&self) -> Result<(), NodeError> {
        match self.0.resume().await {
            None => Err(NodeError::NotParked { id: self.id().clone(), state: self.status().state.name() }),
            Some(started) => {
                started.map_err(|source| NodeError::Start { actor_type: self.id().actor_type().clone(), source })
            }
        }
    }

    /// Sends a request whose answer nobody awaits; returns once it is in the mailbox.
    ///
    /// # Errors
    /// If it was not accepted.
    pub async fn tell(&self, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        self.0.tell(request(route, payload, CallOptions::default())).await
    }

    fn resolve(&self, dest: &Dest) -> Result<Self, ActorError> {
        match dest {
            Dest::Local => Ok(self.clone()),
            Dest::Actor(id) if id == self.id() => Ok(self.clone()),
            Dest::Actor(id) => self.0.node().find(id).map(Self),
            Dest::Shell => Err(ActorError::coded(
                ErrorKind::InvalidArgument,
                Code::MalformedOperation,
                "the application cannot call itself",
            )),
        }
    }
}

/// Typed clients of the application: `Local` is the actor of the handle.
impl Caller for ActorRef {
    async fn call(&self, dest: Dest, route: RouteKey, payload: Bytes) -> Result<Bytes, ActorError> {
        let to = self.resolve(&dest)?;
        Self::call(&to, route, payload).await
    }

    async fn tell(&self, dest: Dest, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        let to = self.resolve(&dest)?;
        Self::tell(&to, route, payload).await
    }
}
