//! The node.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use playhouse_store::Store;
use playhouse_types::{ActorError, ActorId, ActorType, DataChunk, PayloadClass, RouteKey, StreamId};

use crate::actor_ref::{ActorRef, request};
use crate::builder::NodeBuilder;
use crate::clock::after;
use crate::error::NodeError;
use crate::keyring::MasterKeys;
use crate::logs::LogReader;
use crate::options::{CallOptions, TIMEOUT};
use crate::shared::Shared;
use crate::shell::ShellStream;
use crate::status::ActorStatus;

/// A process's home for actors. Cheap to clone; all clones are the same node. Call [`Node::shutdown`] before the last is dropped:
/// without it the actors vanish and their stop hooks do not run.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Shared>, #[expect(dead_code, reason = "acts when it is dropped")] Arc<Last>);

/// What the last clone of a node drops: actors and the node know each other, and would keep each other alive.
struct Last(Arc<Shared>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.directory.all().iter().for_each(|cell| drop(cell.vanish()));
        if let Some(keeper) = &self.0.keeper {
            keeper.close();
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("realm", &self.0.given.realm).finish_non_exhaustive()
    }
}

impl Node {
    pub(crate) fn new(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        if let Some(keeper) = &shared.keeper {
            crate::keeper::start(keeper, &shared);
        }
        Self(Arc::clone(&shared), Arc::new(Last(shared)))
    }

    /// A node to configure and start.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// A handle of an actor that runs here.
    #[must_use]
    pub fn actor(&self, id: &ActorId) -> Option<ActorRef> {
        self.0.directory.get(id).map(ActorRef)
    }

    /// An actor of exactly that type; each in turn if there are several.
    #[must_use]
    pub fn discover(&self, actor_type: &ActorType) -> Option<ActorId> {
        self.0.directory.discover(actor_type)
    }

    /// Sends a request to an actor and awaits the reply. [`ActorRef::call`] saves the look-up.
    ///
    /// # Errors
    /// The actor's error, or why there is no reply.
    pub async fn call(
        &self,
        to: &ActorId,
        route: RouteKey,
        payload: Bytes,
        options: CallOptions,
    ) -> Result<Bytes, ActorError> {
        ActorRef(self.0.find(to)?).call_with(route, payload, options).await
    }

    /// Sends a request whose answer nobody awaits; returns once it is in the actor's mailbox.
    ///
    /// # Errors
    /// If it was not accepted.
    pub async fn tell(
        &self,
        to: &ActorId,
        route: RouteKey,
        payload: Bytes,
        options: CallOptions,
    ) -> Result<(), ActorError> {
        self.0.find(to)?.tell(request(route, payload, options)).await
    }

    /// Sends a chunk of a stream to an actor. Waits while a reliable stream is full; drops a latency-first chunk then. The actor sees itself as the sender.
    ///
    /// # Errors
    /// If the actor has not registered the stream.
    pub async fn send_chunk(&self, to: &ActorId, chunk: DataChunk, class: PayloadClass) -> Result<(), ActorError> {
        let cell = self.0.find(to)?;
        cell.receive_chunk(to.clone(), chunk, class, after(TIMEOUT)).await
    }

    /// Receives a stream that actors send to their shell. Registering an id again ends the stream registered before.
    #[must_use]
    pub fn register_stream(&self, stream_id: StreamId) -> ShellStream {
        self.0.shell.open_stream(stream_id)
    }

    /// What is to be known of every actor, in the order in which they were started.
    #[must_use]
    pub fn actors(&self) -> Vec<ActorStatus> {
        let mut all: Vec<_> = self.0.directory.all().iter().map(|cell| cell.status()).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The master keys under which the keys of actors are sealed, if the node was given any.
    #[must_use]
    pub fn master_keys(&self) -> Option<Arc<MasterKeys>> {
        self.0.given.masters.clone()
    }

    /// The node's store, if it has one.
    #[must_use]
    pub fn store(&self) -> Option<Arc<dyn Store>> {
        self.0.keeper.as_ref().map(|keeper| Arc::clone(&keeper.store))
    }

    /// The log of all actors, from the oldest kept line on.
    #[must_use]
    pub fn logs(&self) -> LogReader {
        self.0.logs.read()
    }

    /// Stops one actor: it takes no more messages, ends what it handles within the time, and runs its stop hook.
    ///
    /// # Errors
    /// If no such actor runs here.
    pub async fn stop(&self, id: &ActorId, within: Duration) -> Result<(), NodeError> {
        let cell = self.0.directory.get(id).ok_or_else(|| NodeError::NoActor { id: id.clone() })?;
        cell.stop(after(within)).await;
        Ok(())
    }

    /// Stops all actors at the same time and takes no new ones. Returns when they have stopped, or when the time is up.
    pub async fn shutdown(&self, within: Duration) {
        self.0.stopping.store(true, Ordering::Release);
        let deadline = after(within);
        join_all(self.0.directory.all().iter().map(|cell| cell.stop(deadline))).await;
    }
}
