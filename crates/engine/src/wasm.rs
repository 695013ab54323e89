//! WebAssembly components.
//!
//! Start from [`WasmEngine`]. It runs components of these worlds, told apart by their own imports and exports:
//!
//! | world | how |
//! |---|---|
//! | `playhouse:actor/guest@0.1.0` | plain synchronous functions |
//! | `actr:workload@0.1.0` in its plain form, shapes A, B and C | plain synchronous functions |
//! | `actr:workload@0.1.0` as actr 0.3 makes it, shapes A, B and C | rewritten on load, then asynchronous functions, one event at a time |
//! | `actr:workload@0.2.0` | asynchronous functions, several events at a time |
//!
//! A guest computes on the task that polls its run, and lets others run at every tick of the ticker. What it may use is
//! bounded by [`Limits`](crate::Limits). Whatever ends a guest is a [`Failure::Crash`](crate::Failure::Crash) with the
//! precise code, and the host lives on.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use playhouse_crypto::Digest;
use playhouse_package::{BinaryKind, VerifiedPackage};
use playhouse_types::{ActorError, Code, ErrorKind};
use wasmtime::component::Component;

use crate::{Engine, EngineKind, Preparation, Prepared};
use actr::{Actr, ShapeKind};
use cache::Cache;
use outline::Outline;
use plain::{Program, World};
use playhouse::Playhouse;
use refusal::Refusal;
use runtime::{Mode, Runtime};
use ticker::Ticker;
use world::Kind;

mod actr;
mod budget;
mod cache;
mod config;
mod exports;
mod failure;
mod guest;
mod ids;
mod keyvalue;
mod log;
mod memory;
mod meter;
mod outline;
mod plain;
mod playhouse;
mod refusal;
mod replies;
mod rewrite;
mod runtime;
mod stack;
mod ticker;
mod values;
mod wasi;
mod world;

pub use config::WasmConfig;

/// The engine for WebAssembly components. Cloning is cheap; one per process is enough.
#[derive(Clone)]
pub struct WasmEngine {
    parts: Arc<Parts>,
}

struct Parts {
    config: WasmConfig,
    ticker: Arc<Ticker>,
    cache: Cache,
    plain: Runtime,
    /// Set up when the first component needs it: most nodes never do.
    asynchronous: OnceLock<Result<Runtime, String>>,
}

impl WasmEngine {
    /// Sets the engine up and starts its ticker.
    ///
    /// # Errors
    /// If the system gives no thread, or wasmtime does not run on this machine.
    pub fn new(config: WasmConfig) -> Result<Self, WasmSetupError> {
        let ticker = Arc::new(Ticker::start().map_err(|source| WasmSetupError::Thread { source })?);
        let plain = Runtime::new(Mode::Plain, &config, &ticker)
            .map_err(|error| WasmSetupError::Engine { reason: format!("{error:#}") })?;
        let cache = Cache::open(&config);
        Ok(Self { parts: Arc::new(Parts { config, ticker, cache, plain, asynchronous: OnceLock::new() }) })
    }
}

impl Engine for WasmEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Wasm
    }

    fn prepare(&self, package: VerifiedPackage) -> Preparation {
        let parts = Arc::clone(&self.parts);
        Box::pin(async move {
            if package.kind() == BinaryKind::CoreModule {
                return Err(Refusal::CoreModule.into());
            }
            parts.prepare(package.binary().clone(), package.binary_digest()).await
        })
    }
}

impl Parts {
    /// Prepares a component on a thread of its own.
    async fn prepare(self: Arc<Self>, binary: Bytes, digest: Digest) -> Result<Arc<dyn Prepared>, ActorError> {
        let work = tokio::task::spawn_blocking(move || self.load(&binary, digest));
        work.await.unwrap_or_else(|error| {
            let message = format!("preparing the component failed: {error}");
            Err(ActorError::coded(ErrorKind::Internal, Code::WasmInvalid, message))
        })
    }

    fn load(&self, binary: &[u8], digest: Digest) -> Result<Arc<dyn Prepared>, ActorError> {
        let outline = Outline::read(binary)?;
        let kind = Kind::of(&outline)?;
        kind.check_imports(&outline)?;
        match kind {
            Kind::Playhouse => self.program::<Playhouse>(self.component(&self.plain, binary, digest)?),
            Kind::ActrPlain => {
                let component = self.component(&self.plain, binary, digest)?;
                match actr::shape_of(&component)? {
                    ShapeKind::A => self.program::<Actr<actr::A>>(component),
                    ShapeKind::B => self.program::<Actr<actr::B>>(component),
                    ShapeKind::C => self.program::<Actr<actr::C>>(component),
                }
            }
            Kind::ActrLifted => self.lifted(binary),
            Kind::ActrAsync => {
                let runtime = self.asynchronous()?;
                let artefact = self.cache.artefact(&runtime.overflow, binary, digest);
                let component = artefact.and_then(|artefact| artefact.component(&runtime.overflow));
                let component = component.map_err(|error| Refusal::invalid(&format!("{error:#}")))?;
                actr::asynchronous::shared(component, &runtime.beside, &self.ticker)
            }
        }
    }

    /// A component of actr 0.3. What is compiled and cached is the rewritten one.
    fn lifted(&self, binary: &[u8]) -> Result<Arc<dyn Prepared>, ActorError> {
        let binary = rewrite::rewrite(binary)?.map_or(Cow::Borrowed(binary), Cow::Owned);
        let runtime = self.asynchronous()?;
        let component = self.component(runtime, &binary, Digest::of(&binary))?;
        actr::asynchronous::lifted(component, &runtime.beside, &self.ticker)
    }

    fn asynchronous(&self) -> Result<&Runtime, Refusal> {
        let start = || Runtime::new(Mode::Async, &self.config, &self.ticker).map_err(|error| format!("{error:#}"));
        self.asynchronous.get_or_init(start).as_ref().map_err(Refusal::invalid)
    }

    /// The compiled component: in the pool's engine, or where that has no room for one of its kind, in the other.
    fn component(&self, runtime: &Runtime, binary: &[u8], digest: Digest) -> Result<Component, Refusal> {
        let artefact = self.cache.artefact(&runtime.overflow, binary, digest);
        let artefact = artefact.map_err(|error| Refusal::invalid(&format!("{error:#}")))?;
        artefact
            .component(&runtime.pooled)
            .or_else(|_| artefact.component(&runtime.overflow))
            .map_err(|error| Refusal::invalid(&format!("{error:#}")))
    }

    fn program<W: World>(&self, component: Component) -> Result<Arc<dyn Prepared>, ActorError> {
        let program = Program::<W>::new(component, self.plain.beside.clone(), Arc::clone(&self.ticker))?;
        Ok(Arc::new(program))
    }
}

impl std::fmt::Debug for WasmEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmEngine").field("config", &self.parts.config).finish_non_exhaustive()
    }
}

/// Why the engine cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WasmSetupError {
    /// The system gives no thread for the ticker.
    #[error("cannot start the ticker's thread")]
    Thread {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// wasmtime refuses the configuration or the machine.
    #[error("wasmtime cannot be set up: {reason}")]
    Engine {
        /// What wasmtime said.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
