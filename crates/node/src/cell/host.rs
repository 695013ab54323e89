//! The one place where workloads of every engine ask for anything, and where it is granted.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhouse_engine::{Context, Host, HostFuture};
use playhouse_scheduler::{CallChain, Priority};
use playhouse_store::{OutMessage, Time};
use playhouse_types::{
    ActorError, ActorId, ActorType, Code, CryptoOp, DataChunk, Dest, ErrorKind, HostOp, HostReply, LogLevel,
    PayloadClass, RouteKey,
};

use super::refusal::chain_error;
use super::streams::is_reliable;
use super::turn::Turn;
use super::{Cell, Request, durable, state, timers};
use crate::clock;
use crate::grants::Grant;
use crate::ids;
use crate::keeper::outbox;
use crate::keyring;
use crate::options::TIMEOUT;
use crate::random;
use crate::scope::{Awaited, Scope};
use crate::shell::ShellMessage;

impl Host for Cell {
    fn perform(&self, context: &Context, op: HostOp) -> HostFuture {
        self.perform_in(None, context, op)
    }

    fn log(&self, actor: &ActorId, level: LogLevel, text: &str) {
        self.log_of(actor, level, text);
    }
}

impl Cell {
    /// Performs an operation, with effects if the message has a turn.
    pub(super) fn perform_in(&self, turn: Option<Arc<Turn>>, context: &Context, op: HostOp) -> HostFuture {
        let grant = Grant::of(&op);
        if !self.setup.grants.has(grant) {
            return Box::pin(ready(Err(self.not_granted(grant))));
        }
        let Some(me) = self.me.upgrade() else { return Box::pin(ready(Err(self.stopped()))) };
        let now = Instant::now();
        if context.deadline.is_some_and(|deadline| deadline <= now) {
            return Box::pin(ready(Err(self.given_up())));
        }
        let deadline = context.deadline.map_or(now + TIMEOUT, |deadline| deadline.min(now + TIMEOUT));
        match op {
            HostOp::Call { dest, route, payload } => match context.chain.extend(&self.id) {
                Ok(chain) => Box::pin(async move {
                    me.let_pass(turn.as_deref()).await?;
                    me.call_out(dest, route, payload, Until { deadline, chain }).await
                }),
                Err(error) => Box::pin(ready(Err(chain_error(error)))),
            },
            HostOp::Tell { dest, route, payload } if turn.is_some() => done(me.post(turn, dest, route, payload)),
            HostOp::Tell { dest, route, payload } => {
                done(me.tell_out(dest, route, payload, Until { deadline, chain: CallChain::root() }))
            }
            HostOp::SendChunk { dest, chunk, class } => done(async move {
                me.let_pass(turn.as_deref()).await?;
                me.send_out(dest, chunk, class, deadline).await
            }),
            HostOp::Discover { actor_type } => {
                let found = self.depends_on(&actor_type).and_then(|()| self.node.discover(&actor_type));
                Box::pin(ready(found.map(HostReply::Actor)))
            }
            HostOp::RegisterStream { stream_id } => {
                Box::pin(ready(self.register_stream(stream_id).map(|()| HostReply::Done)))
            }
            HostOp::UnregisterStream { stream_id } => {
                self.unregister_stream(&stream_id);
                Box::pin(ready(Ok(HostReply::Done)))
            }
            HostOp::Crypto(op) if !keyring::uses_keys(&op) => {
                Box::pin(async move { keyring::perform_without_keys(&me.node, op).await })
            }
            HostOp::State(_) | HostOp::Timer(_) | HostOp::Crypto(_) => match turn {
                Some(turn) => Box::pin(me.perform_stored(turn, op)),
                None => Box::pin(ready(Err(self.no_store()))),
            },
            HostOp::Config { name } => Box::pin(ready(Ok(HostReply::Maybe(self.setup.options.settings.config(&name))))),
            HostOp::Secret { name } => Box::pin(ready(Ok(HostReply::Maybe(self.setup.options.settings.secret(&name))))),
            HostOp::Random { bytes } => Box::pin(ready(random::bytes(bytes).map(HostReply::Bytes))),
            HostOp::Now => Box::pin(ready(Ok(HostReply::Time(clock::timestamp())))),
        }
    }

    /// Performs an operation that reads or makes effects.
    async fn perform_stored(self: Arc<Self>, turn: Arc<Turn>, op: HostOp) -> Result<HostReply, ActorError> {
        let performed = match op {
            HostOp::State(op) => state::perform(Arc::clone(&turn), op).await,
            HostOp::Timer(op) => timers::perform(Arc::clone(&turn), op).await,
            HostOp::Crypto(op) => self.use_key(&turn, op).await,
            _ => Err(self.no_store()),
        };
        performed.inspect_err(|error| turn.note(error))
    }

    async fn use_key(self: &Arc<Self>, turn: &Turn, op: CryptoOp) -> Result<HostReply, ActorError> {
        let mut slot = turn.slot().await?;
        keyring::perform(&self.node, &self.id, op, slot.effects()?).await
    }
}

/// Until when an operation may take, and who waits for it.
struct Until {
    deadline: Instant,
    chain: CallChain,
}

fn done(operation: impl Future<Output = Result<(), ActorError>> + Send + 'static) -> HostFuture {
    Box::pin(async move { operation.await.map(|()| HostReply::Done) })
}

impl Cell {
    async fn call_out(
        self: Arc<Self>,
        dest: Dest,
        route: RouteKey,
        payload: Bytes,
        until: Until,
    ) -> Result<HostReply, ActorError> {
        let deadline = until.deadline;
        let _awaited = Awaited::new(&until.chain);
        let Some(callee) = self.resolve(dest)? else {
            self.check_for_shell(payload.len())?;
            let message = ShellMessage { from: self.id.clone(), route, payload, awaited: true, id: None };
            let reply = self.node.shell.call(message, Scope { chain: until.chain, deadline: Some(deadline) })?;
            let text = "the application did not reply in time";
            let late = || ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text);
            return self.node.until(deadline, reply).await.unwrap_or_else(|| Err(late())).map(HostReply::Bytes);
        };
        callee.call(self.request(route, payload, until)).await.map(HostReply::Bytes)
    }

    async fn tell_out(
        self: Arc<Self>,
        dest: Dest,
        route: RouteKey,
        payload: Bytes,
        until: Until,
    ) -> Result<(), ActorError> {
        let Some(callee) = self.resolve(dest)? else {
            self.check_for_shell(payload.len())?;
            let message = ShellMessage { from: self.id.clone(), route, payload, awaited: false, id: None };
            let late = || ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "the application is behind");
            return self.node.until(until.deadline, self.node.shell.tell(message)).await.unwrap_or_else(|| Err(late()));
        };
        callee.tell(self.request(route, payload, until)).await
    }

    /// What earlier messages did is durable before anything leaves the actor that may come of it. If it was refused, nothing leaves.
    async fn let_pass(&self, turn: Option<&Turn>) -> Result<(), ActorError> {
        let (Some(durable), Some(turn)) = (&self.durable, turn) else { return Ok(()) };
        turn.speak();
        if durable.acks.holds() {
            durable.acks.passed().await;
        }
        if turn.source().is_current() { Ok(()) } else { Err(durable.out_of_order().into()) }
    }

    /// Sends a tell with the effects of the message at hand.
    async fn post(
        self: Arc<Self>,
        turn: Option<Arc<Turn>>,
        dest: Dest,
        route: RouteKey,
        payload: Bytes,
    ) -> Result<(), ActorError> {
        let Some(turn) = turn else { return Err(self.no_store()) };
        let target = match self.resolve(dest)? {
            None => {
                self.node.shell.check(&self.id, &route)?;
                self.check_for_shell(payload.len())?;
                outbox::SHELL.to_owned()
            }
            Some(callee) if payload.len() > self.node.given.policy.message_bytes_max => {
                return Err(callee.too_large(payload.len()));
            }
            Some(callee) => callee.lease().map(|(actor, _)| outbox::target(actor)).ok_or_else(|| callee.stopped())?,
        };
        let message = durable::message(Some(&self.id), route, payload);
        let mut slot = turn.slot().await.inspect_err(|error| turn.note(error))?;
        slot.effects()?.send(OutMessage { target, not_before: Time::default(), message })?;
        slot.posts = true;
        Ok(())
    }

    async fn send_out(
        self: Arc<Self>,
        dest: Dest,
        chunk: DataChunk,
        class: PayloadClass,
        deadline: Instant,
    ) -> Result<(), ActorError> {
        match self.resolve(dest)? {
            Some(receiver) => receiver.receive_chunk(self.id.clone(), chunk, class, deadline).await,
            None => {
                self.check_for_shell(chunk.payload.len())?;
                is_reliable(class)?;
                let sent = self.node.shell.send_chunk(self.id.clone(), chunk, class);
                let late =
                    || ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "the application is behind");
                self.node.until(deadline, sent).await.unwrap_or_else(|| Err(late()))
            }
        }
    }

    fn request(&self, route: RouteKey, payload: Bytes, until: Until) -> Request {
        Request {
            route,
            payload,
            caller: Some(self.id.clone()),
            client: 0,
            request_id: ids::request_id(),
            deadline: until.deadline,
            chain: until.chain,
            priority: Priority::Normal,
        }
    }

    /// The actor that a destination stands for; none for the application.
    fn resolve(self: &Arc<Self>, dest: Dest) -> Result<Option<Arc<Self>>, ActorError> {
        match dest {
            Dest::Shell => Ok(None),
            Dest::Local => Ok(Some(Arc::clone(self))),
            Dest::Actor(id) if id == self.id => Ok(Some(Arc::clone(self))),
            Dest::Actor(id) => self.node.find(&id).map(Some),
        }
    }

    /// Whether the package's lock file, if it has one, lists the type.
    fn depends_on(&self, actor_type: &ActorType) -> Result<(), ActorError> {
        let lock = self.setup.package.as_ref().and_then(|origin| origin.lock.as_ref());
        if lock.is_none_or(|lock| lock.find(actor_type).is_some()) {
            return Ok(());
        }
        let text = "the lock file of the package does not list it";
        Err(ActorError::dependency_not_found(actor_type.to_string(), text).with_code(Code::DependencyMissing))
    }

    fn given_up(&self) -> ActorError {
        let text = format!("{} handles a request whose caller has given up", self.id);
        ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text)
    }

    fn no_store(&self) -> ActorError {
        let text = format!("the node of {} keeps no store", self.id);
        ActorError::coded(ErrorKind::Unavailable, Code::StoreMissing, text)
    }

    fn not_granted(&self, grant: Grant) -> ActorError {
        let name = grant.name();
        let text = format!(
            "{} has no grant `{name}`; add \"{name}\" to `grants` in its manifest and in the node's policy",
            self.id
        );
        ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, text)
    }
}
