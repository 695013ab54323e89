//! Stacks of different sizes. wasmtime bounds a guest's stack per engine, so there is an engine for each size that actors
//! have, and a component is loaded into those that its actors need.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use playhouse_types::ActorError;
use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Artefact;
use super::refusal::Refusal;
use super::runtime::{Mode, rules};
use super::ticker::Ticker;

/// A power of two, so that no more engines come to be than there are steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StackSize(usize);

impl StackSize {
    /// What guests in the pool have: the default of [`Limits::stack_bytes`](crate::Limits::stack_bytes).
    pub(super) const POOLED: Self = Self(512 << 10);
    /// Less does not carry the start of a guest of any toolchain.
    const LEAST: usize = 64 << 10;
    /// More is endless recursion; every instance beside the pool maps as much.
    const MOST: usize = 16 << 20;

    /// The largest size that is not over `limit`, within what there is.
    pub(super) fn within(limit: usize) -> Self {
        let limit = limit.clamp(Self::LEAST, Self::MOST);
        Self(1 << limit.ilog2())
    }

    pub(super) const fn bytes(self) -> usize {
        self.0
    }
}

/// Engines without a pool, one for each size of stack that was asked for.
#[derive(Clone)]
pub(super) struct Engines {
    mode: Mode,
    ticker: Arc<Ticker>,
    by_size: Arc<Mutex<BTreeMap<StackSize, Engine>>>,
}

impl Engines {
    pub(super) fn new(mode: Mode, ticker: &Arc<Ticker>) -> Self {
        Self { mode, ticker: Arc::clone(ticker), by_size: Arc::default() }
    }

    pub(super) fn of(&self, size: StackSize) -> wasmtime::Result<Engine> {
        let mut by_size = self.by_size.lock();
        if let Some(engine) = by_size.get(&size) {
            return Ok(engine.clone());
        }
        let engine = Engine::new(&rules(self.mode, size))?;
        self.ticker.add(&engine);
        by_size.insert(size, engine.clone());
        Ok(engine)
    }
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// One component, made ready in the engines of the sizes that its actors have.
pub(super) struct BySize<T> {
    component: Component,
    engines: Engines,
    ready: Mutex<BTreeMap<StackSize, Arc<OnceCell<Arc<T>>>>>,
    make: fn(&Component) -> Result<T, Refusal>,
}

impl<T: Send + Sync + 'static> BySize<T> {
    pub(super) fn new(component: Component, engines: Engines, make: fn(&Component) -> Result<T, Refusal>) -> Self {
        Self { component, engines, ready: Mutex::default(), make }
    }

    /// The component in the engine of that size; loaded there, off the async threads, when it is first asked for.
    pub(super) async fn of(&self, size: StackSize) -> Result<Arc<T>, ActorError> {
        let cell = Arc::clone(self.ready.lock().entry(size).or_default());
        cell.get_or_try_init(|| self.load(size)).await.cloned()
    }

    async fn load(&self, size: StackSize) -> Result<Arc<T>, ActorError> {
        let (component, engines, make) = (self.component.clone(), self.engines.clone(), self.make);
        let work = tokio::task::spawn_blocking(move || {
            let loaded = engines.of(size).and_then(|engine| Artefact::of(&component)?.component(&engine));
            make(&loaded.map_err(|error| Refusal::invalid(&format!("{error:#}")))?)
        });
        match work.await {
            Ok(ready) => Ok(Arc::new(ready?)),
            Err(error) => Err(Refusal::invalid(&error).into()),
        }
    }
}

#[cfg(test)]
mod tests;
