//! How a node comes to be.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_engine::Engine;
use playhouse_package::{PackageLimits, TrustPolicy};
use playhouse_scheduler::{DeadLetters, Waits};
use playhouse_store::Store;
use playhouse_types::limits::MESSAGE_BYTES_MAX;
use playhouse_types::{ActorError, Realm};
use tokio::runtime::Handle;

use crate::compute::Compute;
use crate::directory::Directory;
use crate::error::NodeError;
use crate::grants::Grants;
use crate::keeper::Keeper;
use crate::keyring::{MasterKeys, claim_now};
use crate::logs::Logs;
use crate::node::Node;
use crate::programs::Programs;
use crate::settings::Settings;
use crate::shared::{Given, Shared};
use crate::shell::{Shell, ShellHandler, ShellMessage};

/// Dead letters that a node keeps; the oldest make room.
const DEAD_LETTERS_MAX: usize = 10_000;
/// Bytes of dead letters that a node keeps.
const DEAD_LETTER_BYTES_MAX: usize = 64 << 20;
/// Calls that may wait for busy actors and be checked for cycles across chains. More are not checked, and end by their deadline.
const WAITS_MAX: usize = 100_000;

/// What the operator of a node allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Host operations that any actor may have at most.
    pub grants: Grants,
    /// Whether native libraries run in the node's own process, where they can do whatever the node can: crash it, read its memory. Only
    /// for code that is trusted as much as the node itself.
    pub danger_native_in_process: bool,
    /// Bytes of one message at most.
    pub message_bytes_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { grants: Grants::ALL, danger_native_in_process: false, message_bytes_max: MESSAGE_BYTES_MAX }
    }
}

/// A [`Node`] before it starts. Nothing is trusted unless [`NodeBuilder::trust`] says so.
#[derive(Default)]
pub struct NodeBuilder {
    realm: u32,
    policy: Policy,
    trust: TrustPolicy,
    package_limits: PackageLimits,
    cache_dir: Option<PathBuf>,
    shell: Option<ShellHandler>,
    store: Option<Arc<dyn Store>>,
    owner: Option<String>,
    masters: Option<MasterKeys>,
    settings: Settings,
}

impl std::fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeBuilder").field("realm", &self.realm).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl NodeBuilder {
    /// The realm of the node's actors; 0 if not said.
    #[must_use]
    pub fn realm(mut self, number: u32) -> Self {
        self.realm = number;
        self
    }

    /// Whose packages may run.
    #[must_use]
    pub fn trust(mut self, trust: TrustPolicy) -> Self {
        self.trust = trust;
        self
    }

    /// What actors may do.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How large packages may be.
    #[must_use]
    pub fn package_limits(mut self, limits: PackageLimits) -> Self {
        self.package_limits = limits;
        self
    }

    /// Where compiled code is kept from one start to the next. Without it every start compiles.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(directory.into());
        self
    }

    /// The master key under which the keys of actors are sealed, also with former ones; see [`MasterKeys`]. Without it, actors have no
    /// keys.
    #[must_use]
    pub fn master_key(mut self, keys: impl Into<MasterKeys>) -> Self {
        self.masters = Some(keys.into());
        self
    }

    /// Settings of all actors, and secrets for those actors whose own settings name them.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Where messages, state, timers and keys of actors are kept. Without it they end with the process.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Under which name the node owns its actors in the store; the name of the machine if not said. Nodes that share a store need names
    /// that differ; a node needs the same one each time, or it has to wait until its former leases end.
    #[must_use]
    pub fn owner(mut self, name: impl Into<String>) -> Self {
        self.owner = Some(name.into());
        self
    }

    /// What handles the messages that actors send to their shell. It runs on the node's runtime and must not block.
    #[must_use]
    pub fn shell<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(ShellMessage) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, ActorError>> + Send + 'static,
    {
        self.shell = Some(Box::new(move |message| Box::pin(handler(message))));
        self
    }

    /// Starts the node on the tokio runtime around.
    ///
    /// # Errors
    /// [`NodeError::NoRuntime`] outside a runtime; [`NodeError::Setup`] if an engine cannot be set up; [`NodeError::Keys`] if the
    /// store has keys that the master keys do not open.
    pub fn start(self) -> Result<Node, NodeError> {
        let runtime = Handle::try_current().map_err(|_| NodeError::NoRuntime)?;
        if let (Some(store), Some(keys)) = (&self.store, &self.masters) {
            claim_now(&runtime, &**store, keys)?;
        }
        let wasm = wasm_engine(self.cache_dir)?;
        let native = native_engine(&self.policy)?;
        Ok(Node::new(Shared {
            shell: Shell::new(self.shell, &runtime),
            runtime,
            compute: Compute::default(),
            directory: Directory::default(),
            logs: Logs::new(),
            waits: Mutex::new(Waits::new(WAITS_MAX)),
            dead: Mutex::new(DeadLetters::new(DEAD_LETTERS_MAX, DEAD_LETTER_BYTES_MAX)),
            next_serial: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            programs: Programs {
                trust: self.trust,
                limits: self.package_limits,
                wasm,
                native,
                in_use: Mutex::new(HashMap::new()),
            },
            keeper: self.store.map(|store| Arc::new(Keeper::new(store, self.owner.unwrap_or_else(machine_name)))),
            given: Given {
                realm: Realm::new(self.realm),
                policy: self.policy,
                hasher: RandomState::new(),
                masters: self.masters.map(Arc::new),
                settings: self.settings.into(),
            },
        }))
    }
}

/// The name of this machine, cut to what a store takes.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or("node".to_owned());
    name.chars().take(playhouse_store::limits::OWNER_BYTES_MAX / 4).collect()
}

type MaybeEngine = Option<Arc<dyn Engine>>;

#[cfg(feature = "wasm")]
fn wasm_engine(cache_dir: Option<PathBuf>) -> Result<MaybeEngine, NodeError> {
    let config = playhouse_engine::wasm::WasmConfig { cache_dir, ..Default::default() };
    let engine = playhouse_engine::wasm::WasmEngine::new(config)
        .map_err(|source| NodeError::Setup { part: "wasm engine", source: source.into() })?;
    Ok(Some(Arc::new(engine)))
}

#[cfg(not(feature = "wasm"))]
fn wasm_engine(_cache_dir: Option<PathBuf>) -> Result<MaybeEngine, NodeError> {
    Ok(None)
}

#[cfg(feature = "native")]
fn native_engine(policy: &Policy) -> Result<MaybeEngine, NodeError> {
    Ok(Some(Arc::new(playhouse_engine::native::NativeEngine::new(policy.danger_native_in_process))))
}

#[cfg(not(feature = "native"))]
fn native_engine(_policy: &Policy) -> Result<MaybeEngine, NodeError> {
    Ok(None)
}
