//! How actors come to a node.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use playhouse_engine::Prepared;
use playhouse_engine::linked::Linked;
use playhouse_guest::{Dispatch, SharedDispatch};
use playhouse_package::{PackageConcurrency, VerifiedPackage, VerifyError};
use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind, Serial};
use tokio::sync::oneshot;

use crate::actor_ref::ActorRef;
use crate::cell::{Cell, Durable, Origin, Setup};
use crate::error::NodeError;
use crate::grants::Grants;
use crate::key::KeyBy;
use crate::node::Node;
use crate::options::{ActorOptions, Concurrency};
use crate::shared::Shared;

mod asked_for;

impl Node {
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
        let verified = self
            .0
            .runtime
            .spawn_blocking(move || -> Result<VerifiedPackage, VerifyError> { shared.programs.verify(package, now) });
        let verified = verified.await.map_err(|_| NodeError::Stopping)?;
        verified.map_err(|error| NodeError::Refused(Box::new(error)))
    }

    /// Starts one actor of a verified package.
    ///
    /// The actor has the limits that the options give, or what the package asks for where that is less.
    ///
    /// # Errors
    /// Why its actor did not start; with [`Code::LimitRefused`](playhouse_types::Code::LimitRefused) if the package asks for more than
    /// the options give.
    pub async fn attach_verified(
        &self,
        package: VerifiedPackage,
        options: ActorOptions,
    ) -> Result<ActorRef, NodeError> {
        let actor_type = package.actor_type().clone();
        let start = |source| NodeError::Start { actor_type: actor_type.clone(), source };
        let grants = match &options.grants {
            Some(grants) => *grants,
            None => declared_grants(&package),
        };
        let origin = Origin { digest: package.package_digest().to_string(), lock: package.lock().cloned() };
        let asked = options.concurrency.is_some();
        let mut options = declared(&package, options)?;
        asked_for::apply(&package.extension().limits, &mut options).map_err(start)?;
        let program = self.0.programs.prepare(package).await?.map_err(start)?;
        if !asked && program.concurrency() == playhouse_engine::Concurrency::Serial {
            options.concurrency = None;
        }
        self.start(actor_type.clone(), program, options, (grants, Some(origin))).await
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
        let grants = options.grants.unwrap_or(Grants::ALL);
        self.start(actor_type, program, options, (grants, None)).await
    }

    async fn start(
        &self,
        actor_type: ActorType,
        program: Arc<dyn Prepared>,
        mut options: ActorOptions,
        (grants, package): (Grants, Option<Origin>),
    ) -> Result<ActorRef, NodeError> {
        if self.0.stopping.load(Ordering::Acquire) {
            return Err(NodeError::Stopping);
        }
        let concurrency = options.concurrency.clone().unwrap_or_default();
        if concurrency != Concurrency::Serial && program.concurrency() == playhouse_engine::Concurrency::Serial {
            return Err(NodeError::NotConcurrent { actor_type });
        }
        let settings = self.0.given.settings.seen_with(&options.settings);
        options.settings = settings.map_err(|source| NodeError::Settings { actor_type: actor_type.clone(), source })?;
        let setup = Arc::new(Setup {
            limits: Arc::new(options.limits.clone()),
            grants: grants.and(self.0.given.policy.grants),
            reentrant: matches!(concurrency, Concurrency::Concurrent(_)),
            serial: concurrency == Concurrency::Serial,
            key: match concurrency {
                Concurrency::Keyed { by, .. } => Some(by),
                _ => None,
            },
            package,
            options,
        });
        let (made, making) = oneshot::channel();
        let (failed, mut failing) = oneshot::channel();
        // A task, so that the actor is opened and starts, or is gone, even if nobody waits for it here.
        let mut starting =
            self.0.runtime.spawn(bring_up(Arc::clone(&self.0), actor_type.clone(), program, setup, (made, failed)));
        let Ok(cell) = making.await else {
            return Err(starting.await.ok().and_then(Result::err).unwrap_or(NodeError::Stopping));
        };
        // A guest that does not come out of its start must not keep those who wait for it once it has been stopped.
        let started = tokio::select! {
            biased;
            started = &mut starting => started.unwrap_or(Err(NodeError::Stopping)),
            // It is gone as well when its start has failed, and that is what it is gone of.
            () = cell.gone() => Err(failing.try_recv().unwrap_or_else(|_| {
                let text = format!("{} was stopped while it started", cell.id());
                ActorError::coded(ErrorKind::Unavailable, Code::ActorStopped, text)
            })).map_err(|source| NodeError::Start { actor_type, source }),
        };
        started.map(|()| ActorRef(cell))
    }
}

/// Opens an actor, puts it on the node and starts it. Whoever waits hears of it as soon as it is on the node.
async fn bring_up(
    node: Arc<Shared>,
    actor_type: ActorType,
    program: Arc<dyn Prepared>,
    setup: Arc<Setup>,
    (made, failed): (oneshot::Sender<Arc<Cell>>, oneshot::Sender<ActorError>),
) -> Result<(), NodeError> {
    let durable = open_stored(&node, &actor_type, &setup).await?;
    let serial = match &durable {
        Some(durable) => durable.view().lease().serial,
        None => Serial::new(node.next_serial.fetch_add(1, Ordering::Relaxed)),
    };
    let id = ActorId::new(node.given.realm, serial, actor_type.clone());
    let cell = Cell::new(Arc::clone(&node), id, program, setup, durable);
    cell.register();
    // Found from now on: messages wait in its mailbox until it has started.
    node.directory.insert(Arc::clone(&cell));
    if node.stopping.load(Ordering::Acquire) {
        drop(cell.vanish());
        return Err(NodeError::Stopping);
    }
    // They may have gone.
    let _ = made.send(Arc::clone(&cell));
    let started = cell.start().await;
    if let Err(error) = &started {
        let _ = failed.send(error.clone());
        drop(cell.vanish());
    }
    started.map_err(|source| NodeError::Start { actor_type, source })
}

/// Opens the actor in the node's store, if there is one.
async fn open_stored(node: &Shared, actor_type: &ActorType, setup: &Setup) -> Result<Option<Durable>, NodeError> {
    let Some(keeper) = &node.keeper else { return Ok(None) };
    let taken = |instance| NodeError::InstanceTaken { actor_type: actor_type.clone(), instance };
    let name = keeper.name(node.given.realm, actor_type, setup.options.instance.as_deref()).map_err(taken)?;
    let opened = Durable::open(keeper, name, setup).await;
    opened.map(Some).map_err(|source| NodeError::Open { actor_type: actor_type.clone(), source })
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
                let by = package.field_numbers(text).map(KeyBy::FieldByRoute);
                let by = by.map_err(|source| NodeError::BadKey { text: text.clone(), source })?;
                Some(Concurrency::Keyed { by, lanes: KEYED_LANES })
            }
        };
    }
    Ok(options)
}

/// Keys that a package's keyed actor handles at the same time, which no manifest says.
const KEYED_LANES: std::num::NonZeroU32 = std::num::NonZeroU32::new(64).unwrap();

fn declared_grants(package: &VerifiedPackage) -> Grants {
    match &package.extension().grants {
        Some(declared) => Grants::from_names(declared.iter().map(String::as_str)),
        None => Grants::ACTR,
    }
}
