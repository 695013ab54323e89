//! WebAssembly components.
//!
//! Start from [`WasmEngine`]. It runs components of these worlds, told apart by their own imports and exports:
//!
//! | world | how |
//! |---|---|
//! | `playhouse:actor/guest@0.1.0` | plain synchronous functions |
//! | `actr:workload@0.1.0` in its plain form, shapes A, B and C | plain synchronous functions |
//!
//! A guest computes on the task that polls its run, and lets others run at every tick of the [ticker](ticker). What it may use is
//! bounded by [`Limits`](crate::Limits). Whatever ends a guest is a [`Failure::Crash`](crate::Failure::Crash) with the
//! precise code, and the host lives on.

use std::sync::Arc;

use bytes::Bytes;
use playhouse_package::{BinaryKind, VerifiedPackage};
use playhouse_types::{ActorError, Code, ErrorKind};
use wasmtime::component::{Component, Linker};

use crate::{Engine, EngineKind, Preparation, Prepared};
use actr::{Actr, ShapeKind};
use guest::Guest;
use outline::Outline;
use plain::{Program, World};
use playhouse::Playhouse;
use refusal::Refusal;
use runtime::{Mode, Runtime};
use ticker::Ticker;
use world::Kind;

mod actr;
mod budget;
mod config;
mod exports;
mod failure;
mod guest;
mod ids;
mod log;
mod meter;
mod outline;
mod plain;
mod playhouse;
mod refusal;
mod runtime;
mod ticker;
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
    plain: Runtime,
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
        Ok(Self { parts: Arc::new(Parts { config, ticker, plain }) })
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
            parts.prepare(package.binary().clone()).await
        })
    }
}

impl Parts {
    /// Prepares a component on a thread of its own.
    async fn prepare(self: Arc<Self>, binary: Bytes) -> Result<Arc<dyn Prepared>, ActorError> {
        let work = tokio::task::spawn_blocking(move || self.load(&binary));
        work.await.unwrap_or_else(|error| {
            let message = format!("preparing the component failed: {error}");
            Err(ActorError::coded(ErrorKind::Internal, Code::WasmInvalid, message))
        })
    }

    fn load(&self, binary: &[u8]) -> Result<Arc<dyn Prepared>, ActorError> {
        let outline = Outline::read(binary)?;
        let kind = Kind::of(&outline)?;
        kind.check_imports(&outline)?;
        match kind {
            Kind::Playhouse => self.program::<Playhouse>(&self.compile(binary)?),
            Kind::ActrPlain => {
                let component = self.compile(binary)?;
                match actr::shape_of(&component)? {
                    ShapeKind::A => self.program::<Actr<actr::A>>(&component),
                    ShapeKind::B => self.program::<Actr<actr::B>>(&component),
                    ShapeKind::C => self.program::<Actr<actr::C>>(&component),
                }
            }
            Kind::ActrLifted | Kind::ActrAsync => Err(Refusal::Asynchronous.into()),
        }
    }

    fn compile(&self, binary: &[u8]) -> Result<Component, Refusal> {
        Component::new(&self.plain.pooled, binary).map_err(|error| Refusal::invalid(&format!("{error:#}")))
    }

    fn program<W: World>(&self, component: &Component) -> Result<Arc<dyn Prepared>, ActorError> {
        let mut linker = Linker::<Guest>::new(component.engine());
        wasi::link(&mut linker).and_then(|()| W::link(&mut linker)).map_err(|e| Refusal::invalid(&e))?;
        Ok(Arc::new(Program::<W>::new(component, &linker, Arc::clone(&self.ticker))?))
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
