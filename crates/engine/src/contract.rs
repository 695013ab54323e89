use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_package::VerifiedPackage;
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, Event, HostOp, HostReply, LogLevel, RequestId};

/// Which engine runs a workload. People see it; nothing branches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// A Rust value in the host's program.
    Linked,
    /// A WebAssembly component.
    Wasm,
    /// A shared library.
    Native,
}

impl EngineKind {
    /// The name in configuration and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Wasm => "wasm",
            Self::Native => "native",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether one workload can handle several events at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// One event at a time. Calling [`Workload::run`] before the last run ended is a bug of the caller.
    Serial,
    /// Any number of events.
    Shared,
}

/// What one workload may use. Every limit has a reason beside its default; a node's configuration changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory over all memories of a wasm workload.
    pub memory_bytes: usize,
    /// Elements over all tables of a wasm workload.
    pub table_elements: usize,
    /// Core instances in one wasm workload. A component made from Python has 38.
    pub instances: usize,
    /// Bytes of stack that a wasm guest may use, rounded down to a power of two: 64 KiB at the least, 16 MiB at the most. With
    /// another than the default a guest runs beside the pool of instances, and takes some microseconds longer to create.
    pub stack_bytes: usize,
    /// Time that a guest may compute in one event, host operations not counted.
    pub cpu: Duration,
    /// Time that one event may take, host operations counted. The driver enforces it by dropping the run. Making a workload may
    /// take as long; that the engine enforces.
    pub wall: Duration,
    /// Host operations in one event.
    pub host_calls: u32,
    /// Bytes of log text from one event. The rest is dropped, which is said once.
    pub log_bytes: usize,
    /// Bytes of one reply.
    pub reply_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Twice what the largest guest of our fixtures touches, a Python component, and still 100 actors in 24 GiB.
            memory_bytes: 128 << 20,
            // 100 k function references: ten times what componentized CPython declares.
            table_elements: 100_000,
            instances: 64,
            // wasmtime's own default, tested with its fiber stacks.
            stack_bytes: 512 << 10,
            // A handler that computes for a second blocks its actor's mailbox for a second.
            cpu: Duration::from_secs(1),
            // The default timeout of a call in actr 0.3: nobody waits longer.
            wall: Duration::from_secs(30),
            // A loop of 100 k operations takes about as long as `cpu` allows.
            host_calls: 100_000,
            log_bytes: 64 << 10,
            reply_bytes: 16 << 20,
        }
    }
}

/// The surroundings of one event: who is asked, by whom, until when.
#[derive(Clone)]
pub struct Context {
    /// The actor that handles the event.
    pub self_id: ActorId,
    /// The actor that sent the event; none for the embedding application, lifecycle and hooks.
    pub caller: Option<ActorId>,
    /// The request that the event belongs to.
    pub request_id: RequestId,
    /// When the caller gives up. Calls made while handling the event end no later.
    pub deadline: Option<Instant>,
    /// Who waits for the reply.
    pub chain: CallChain,
    /// Where host operations go.
    pub host: Arc<dyn Host>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("self_id", &self.self_id)
            .field("caller", &self.caller)
            .field("request_id", &self.request_id)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A host operation under way. Dropping it gives the operation up.
pub type HostFuture = Pin<Box<dyn Future<Output = Result<HostReply, ActorError>> + Send>>;

/// What workloads ask things of. There is one implementation, in the node: it checks grants, quotas and deadlines.
pub trait Host: Send + Sync + 'static {
    /// Performs `op` for the workload that handles an event in `context`.
    fn perform(&self, context: &Context, op: HostOp) -> HostFuture;

    /// Takes one piece of log text from `actor`. Never blocks; the engine has applied [`Limits::log_bytes`].
    fn log(&self, actor: &ActorId, level: LogLevel, text: &str);
}

/// Why an event was not handled well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The workload answered with an error, and is as good as before.
    Error(ActorError),
    /// The workload is lost: it trapped, exited or broke a limit. Another must be created for the next event.
    Crash(ActorError),
}

impl Failure {
    /// The error, for whoever asked.
    #[must_use]
    pub fn into_error(self) -> ActorError {
        match self {
            Self::Error(error) | Self::Crash(error) => error,
        }
    }
}

/// How an event was handled: the reply's bytes, empty for anything but a request.
pub type Outcome = Result<Bytes, Failure>;

/// An event being handled. Dropping it early gives the event up; ask [`Workload::is_lost`] afterwards.
pub type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The running code of one actor.
pub trait Workload: Send + Sync + 'static {
    /// Handles one event. The future must be polled where tokio's timers run; it never blocks its thread for long, whatever the guest does.
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running;

    /// Whether the workload can take no more events: it crashed, or a run was dropped at a point from where it cannot go on.
    fn is_lost(&self) -> bool;
}

/// What a new workload is born with.
#[derive(Clone)]
pub struct Seed {
    /// Its identity.
    pub self_id: ActorId,
    /// Where its host operations go.
    pub host: Arc<dyn Host>,
    /// What it may use.
    pub limits: Arc<Limits>,
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").field("self_id", &self.self_id).finish_non_exhaustive()
    }
}

/// A workload being made.
pub type Creation = Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, ActorError>> + Send>>;

/// A program that is ready to run: linked in, compiled, or checked and waiting to be mapped.
pub trait Prepared: Send + Sync + 'static {
    /// Which engine runs it.
    fn kind(&self) -> EngineKind;

    /// Whether its workloads can handle several events at the same time.
    fn concurrency(&self) -> Concurrency;

    /// Makes one workload within [`Limits::wall`]. No event has been given to it yet. To be polled where tokio's timers run.
    fn create(&self, seed: Seed) -> Creation;
}

/// A package being prepared: compiled, loaded from the cache. Heavy work happens off the async threads.
pub type Preparation = Pin<Box<dyn Future<Output = Result<Arc<dyn Prepared>, ActorError>> + Send>>;

/// What turns verified packages into programs that run.
pub trait Engine: Send + Sync + 'static {
    /// Which engine it is.
    fn kind(&self) -> EngineKind;

    /// Prepares the program in a package, or says which rule it breaks.
    fn prepare(&self, package: VerifiedPackage) -> Preparation;
}
