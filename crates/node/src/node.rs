//! The node and its handles.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::join_all;
use parking_lot::Mutex;
use playhouse_engine::linked::Linked;
use playhouse_engine::{Engine, Prepared};
use playhouse_guest::{Caller, Dispatch, SharedDispatch};
use playhouse_package::{BinaryKind, PackageConcurrency, PackageLimits, TrustPolicy, VerifiedPackage, VerifyError};
use playhouse_scheduler::{CallChain, Waits};
use playhouse_types::{
    ActorError, ActorId, ActorType, Code, DataChunk, Dest, ErrorKind, PayloadClass, Realm, RouteKey, Serial, StreamId,
};
use tokio::runtime::Handle;

use crate::builder::{NodeBuilder, Policy};
use crate::cell::{Cell, Letter, Request, Setup};
use crate::directory::Directory;
use crate::error::NodeError;
use crate::grants::Grants;
use crate::ids;
use crate::key::KeyBy;
use crate::logs::{LogReader, Logs};
use crate::options::{ActorOptions, CallOptions, Concurrency, TIMEOUT};
use crate::shell::{Shell, ShellStream};
use crate::status::{ActorStatus, DeadLetter};

/// What all parts of a node share.
pub(crate) struct Shared {
    pub(crate) runtime: Handle,
    pub(crate) directory: Directory,
    pub(crate) logs: Logs,
    pub(crate) shell: Shell,
    pub(crate) policy: Policy,
    pub(crate) hasher: RandomState,
    pub(crate) waits: Mutex<Waits>,
    pub(crate) dead: Mutex<playhouse_scheduler::DeadLetters<Buried>>,
    pub(crate) realm: Realm,
    pub(crate) next_serial: AtomicU64,
    pub(crate) stopping: AtomicBool,
    pub(crate) trust: TrustPolicy,
    pub(crate) package_limits: PackageLimits,
    pub(crate) wasm: Option<Arc<dyn Engine>>,
    pub(crate) native: Option<Arc<dyn Engine>>,
    /// Programs in use, by the digest of their binary.
    pub(crate) programs: Mutex<HashMap<String, Weak<dyn Prepared>>>,
}

/// A dead letter and whom it was for.
pub(crate) struct Buried {
    to: ActorId,
    letter: Letter,
    time: SystemTime,
}

impl Shared {
    /// Awaits a future until the deadline; none if that came first. Works outside tokio's runtimes as well.
    pub(crate) async fn until<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        let sleep = {
            let _inside = self.runtime.enter();
            tokio::time::sleep_until(deadline.into())
        };
        tokio::select! {
            biased;
            output = future => Some(output),
            () = sleep => None,
        }
    }

    pub(crate) fn find(&self, id: &ActorId) -> Result<Arc<Cell>, ActorError> {
        self.directory.get(id).ok_or_else(|| {
            let text = format!("no actor {id} runs on this node");
            ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, text)
        })
    }

    pub(crate) fn discover(&self, actor_type: &ActorType) -> Result<ActorId, ActorError> {
        self.directory.discover(actor_type).ok_or_else(|| {
            let text = format!("no actor of type {actor_type} runs on this node");
            ActorError::coded(ErrorKind::NotFound, Code::TypeNotFound, text)
        })
    }

    /// A queued call began, or will never begin.
    pub(crate) fn begun(&self, wait: Option<playhouse_scheduler::WaitId>) {
        if let Some(wait) = wait {
            self.waits.lock().remove(wait);
        }
    }

    pub(crate) fn bury(&self, to: &ActorId, letter: Letter, cause: ActorError) {
        let bytes = letter.payload.len();
        let message = Buried { to: to.clone(), letter, time: SystemTime::now() };
        let letter = playhouse_scheduler::DeadLetter { at: Instant::now(), cause, bytes, message };
        self.dead.lock().push(letter);
    }
}

/// A process's home for actors. Cheap to clone; all clones are the same node. Call [`Node::shutdown`] before the last is dropped, so
/// that the actors' stop hooks run.
#[derive(Clone)]
pub struct Node(Arc<Shared>);

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("realm", &self.0.realm).finish_non_exhaustive()
    }
}

impl Node {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// A node to configure and start.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// Verifies a package, prepares its program and starts one actor of it. Verifying and compiling happen off the async threads.
    ///
    /// # Errors
    /// Why the package is refused, or why its actor did not start.
    pub async fn attach(&self, package: Bytes, options: ActorOptions) -> Result<ActorRef, NodeError> {
        let package = self.verify(package).await?;
        self.attach_verified(package, options).await
    }

    /// Verifies a package against the node's trust policy, off the async threads.
    ///
    /// # Errors
    /// [`NodeError::Refused`] with the rule that the package breaks.
    pub async fn verify(&self, package: Bytes) -> Result<VerifiedPackage, NodeError> {
        let shared = Arc::clone(&self.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let verified = self.0.runtime.spawn_blocking(move || -> Result<VerifiedPackage, VerifyError> {
            playhouse_package::verify(package, &shared.trust, now, &shared.package_limits)
        });
        let verified = verified.await.map_err(|_| NodeError::Stopping)?;
        verified.map_err(|error| NodeError::Refused(Box::new(error)))
    }

    /// Starts one actor of a verified package.
    ///
    /// # Errors
    /// Why its actor did not start.
    pub async fn attach_verified(
        &self,
        package: VerifiedPackage,
        options: ActorOptions,
    ) -> Result<ActorRef, NodeError> {
        let actor_type = package.actor_type().clone();
        let start = |source| NodeError::Start { actor_type: actor_type.clone(), source };
        let options = declared(&package, options)?;
        let grants = match &options.grants {
            Some(grants) => *grants,
            None => declared_grants(&package),
        };
        let digest = package.package_digest().to_string();
        let program = self.program(package).await?.map_err(start)?;
        self.start(actor_type.clone(), program, options, (grants, Some(digest))).await
    }

    /// Starts an actor that is a Rust value and handles one message at a time. The factory makes its value.
    ///
    /// # Errors
    /// If the value's start hook fails.
    pub async fn link<A: Dispatch>(
        &self,
        actor_type: ActorType,
        factory: impl Fn() -> A + Send + Sync + 'static,
        options: ActorOptions,
    ) -> Result<ActorRef, NodeError> {
        self.start_program(actor_type, Arc::new(Linked::serial(factory)), options).await
    }

    /// Starts an actor that is a Rust value and can handle several messages at the same time, if the options say so.
    ///
    /// # Errors
    /// If the value's start hook fails.
    pub async fn link_shared<A: SharedDispatch>(
        &self,
        actor_type: ActorType,
        factory: impl Fn() -> A + Send + Sync + 'static,
        options: ActorOptions,
    ) -> Result<ActorRef, NodeError> {
        self.start_program(actor_type, Arc::new(Linked::shared(factory)), options).await
    }

    /// Starts an actor of a program that is prepared already. Many actors can share one.
    ///
    /// # Errors
    /// If the actor's start hook fails.
    pub async fn start_program(
        &self,
        actor_type: ActorType,
        program: Arc<dyn Prepared>,
        options: ActorOptions,
    ) -> Result<ActorRef, NodeError> {
        let grants = options.grants.unwrap_or(Grants::ACTR);
        self.start(actor_type, program, options, (grants, None)).await
    }

    async fn start(
        &self,
        actor_type: ActorType,
        program: Arc<dyn Prepared>,
        options: ActorOptions,
        (grants, package): (Grants, Option<String>),
    ) -> Result<ActorRef, NodeError> {
        if self.0.stopping.load(Ordering::Acquire) {
            return Err(NodeError::Stopping);
        }
        let concurrency = options.concurrency.clone().unwrap_or_default();
        if concurrency != Concurrency::Serial && program.concurrency() == playhouse_engine::Concurrency::Serial {
            return Err(NodeError::NotConcurrent { actor_type });
        }
        let setup = Arc::new(Setup {
            limits: Arc::new(options.limits.clone()),
            grants: grants.and(self.0.policy.grants),
            reentrant: matches!(concurrency, Concurrency::Concurrent(_)),
            key: match concurrency {
                Concurrency::Keyed { by, .. } => Some(by),
                _ => None,
            },
            package,
            options,
        });
        let serial = Serial::new(self.0.next_serial.fetch_add(1, Ordering::Relaxed));
        let id = ActorId::new(self.0.realm, serial, actor_type.clone());
        let cell = Cell::new(Arc::clone(&self.0), id, program, setup);
        // Found from now on: messages wait in its mailbox until it has started.
        self.0.directory.insert(Arc::clone(&cell));
        if let Err(source) = cell.start().await {
            self.0.directory.remove(cell.id());
            cell.stop(Instant::now()).await;
            return Err(NodeError::Start { actor_type, source });
        }
        Ok(ActorRef(cell))
    }

    /// The program of a package; the one in use already, if there is one.
    async fn program(&self, package: VerifiedPackage) -> Result<Result<Arc<dyn Prepared>, ActorError>, NodeError> {
        let key = format!("{:?} {} {}", package.kind(), package.target(), package.package_digest());
        if let Some(program) = self.0.programs.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(Ok(program));
        }
        let (engine, name) = match package.kind() {
            BinaryKind::NativeCdylib => (&self.0.native, "native"),
            _ => (&self.0.wasm, "wasm"),
        };
        let engine = engine.as_ref().ok_or(NodeError::EngineMissing { engine: name })?;
        let prepared = engine.prepare(package).await;
        if let Ok(program) = &prepared {
            let mut programs = self.0.programs.lock();
            programs.retain(|_, program| program.strong_count() > 0);
            programs.insert(key, Arc::downgrade(program));
        }
        Ok(prepared)
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
        cell.receive_chunk(to.clone(), chunk, class, Instant::now() + TIMEOUT).await
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

    /// The log of all actors, from the oldest kept line on.
    #[must_use]
    pub fn logs(&self) -> LogReader {
        self.0.logs.read()
    }

    /// Messages that could not be handled, the oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.0.dead.lock().list().map(|(id, letter)| show(id, letter)).collect()
    }

    /// Takes a dead letter out and sends it to its actor again.
    ///
    /// # Errors
    /// If there is no such letter or actor, or the actor takes no messages; the letter stays then.
    pub async fn retry_dead_letter(&self, number: u64) -> Result<(), NodeError> {
        let (_, letter) = self.take_dead_letter(number)?;
        let Buried { to, letter: sent, .. } = &letter.message;
        let options = CallOptions::default();
        let told = match self.0.find(to) {
            Ok(cell) => {
                let mut request = request(sent.route.clone(), sent.payload.clone(), options);
                request.caller.clone_from(&sent.from);
                cell.tell(request).await
            }
            Err(error) => Err(error),
        };
        if let Err(source) = told {
            let actor_type = to.actor_type().clone();
            self.0.dead.lock().push(letter);
            return Err(NodeError::Start { actor_type, source });
        }
        Ok(())
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    /// If there is no such letter.
    pub fn drop_dead_letter(&self, number: u64) -> Result<DeadLetter, NodeError> {
        self.take_dead_letter(number).map(|(id, letter)| show(id, &letter))
    }

    fn take_dead_letter(
        &self,
        number: u64,
    ) -> Result<(playhouse_scheduler::DeadLetterId, playhouse_scheduler::DeadLetter<Buried>), NodeError> {
        let id = playhouse_scheduler::DeadLetterId::from_number(number);
        let letter = self.0.dead.lock().take(id);
        letter.map(|letter| (id, letter)).ok_or(NodeError::NoDeadLetter { number })
    }

    /// Stops one actor: it takes no more messages, ends what it handles within the time, and runs its stop hook.
    ///
    /// # Errors
    /// If no such actor runs here.
    pub async fn stop(&self, id: &ActorId, within: Duration) -> Result<(), NodeError> {
        let cell = self.0.directory.get(id).ok_or_else(|| NodeError::NoActor { id: id.clone() })?;
        cell.stop(Instant::now() + within).await;
        Ok(())
    }

    /// Stops all actors at the same time and takes no new ones. Returns when they have stopped, or when the time is up.
    pub async fn shutdown(&self, within: Duration) {
        self.0.stopping.store(true, Ordering::Release);
        let deadline = Instant::now() + within;
        join_all(self.0.directory.all().iter().map(|cell| cell.stop(deadline))).await;
    }
}

fn show(id: playhouse_scheduler::DeadLetterId, letter: &playhouse_scheduler::DeadLetter<Buried>) -> DeadLetter {
    let Buried { to, letter: sent, time } = &letter.message;
    DeadLetter {
        number: id.number(),
        time: *time,
        to: to.clone(),
        from: sent.from.clone(),
        route: sent.route.clone(),
        payload: sent.payload.clone(),
        attempts: sent.attempts,
        cause: letter.cause.clone(),
    }
}

fn request(route: RouteKey, payload: Bytes, options: CallOptions) -> Request {
    Request {
        route,
        payload,
        caller: None,
        request_id: options.request_id.unwrap_or_else(ids::request_id),
        deadline: Instant::now() + options.timeout,
        chain: CallChain::root(),
        priority: options.priority,
    }
}

/// The options with what the package declares where they say nothing.
fn declared(package: &VerifiedPackage, mut options: ActorOptions) -> Result<ActorOptions, NodeError> {
    if options.concurrency.is_none() {
        options.concurrency = match &package.extension().concurrency {
            None | Some(PackageConcurrency::Serial) => None,
            Some(PackageConcurrency::Concurrent(n)) => Some(Concurrency::Concurrent(*n)),
            Some(PackageConcurrency::KeyedBySender) => {
                Some(Concurrency::Keyed { by: KeyBy::Sender, lanes: KEYED_LANES })
            }
            Some(PackageConcurrency::KeyedByField(text)) => {
                let by = KeyBy::from_text(&format!("field:{text}"))
                    .ok_or_else(|| NodeError::BadKey { text: text.clone() })?;
                Some(Concurrency::Keyed { by, lanes: KEYED_LANES })
            }
        };
    }
    Ok(options)
}

/// Keys that a package's keyed actor handles at the same time, which no manifest says.
const KEYED_LANES: std::num::NonZeroU32 = std::num::NonZeroU32::new(64).unwrap();

fn declared_grants(package: &VerifiedPackage) -> Grants {
    let declared = &package.extension().grants;
    if declared.is_empty() { Grants::ACTR } else { Grants::from_names(declared.iter().map(String::as_str)) }
}

/// A handle of one actor. Cheap to clone; it does not keep the actor alive once that is stopped.
#[derive(Clone)]
pub struct ActorRef(Arc<Cell>);

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
        self.0.call(request(route, payload, CallOptions::default())).await
    }

    /// Sends a request and awaits the reply.
    ///
    /// # Errors
    /// The actor's error, or why there is no reply.
    pub async fn call_with(&self, route: RouteKey, payload: Bytes, options: CallOptions) -> Result<Bytes, ActorError> {
        self.0.call(request(route, payload, options)).await
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
