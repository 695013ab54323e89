//! Workloads of plain synchronous worlds: one instance, one event at a time, on a fiber.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_types::{ActorError, Code, ErrorKind, Event};
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{PoolConcurrencyLimitError, Store};

use super::failure;
use super::guest::{Answer, Guest};
use super::keyvalue;
use super::meter::{Meter, Metered};
use super::playhouse::operations;
use super::refusal::Refusal;
use super::runtime::POOLED_TABLE_ELEMENTS;
use super::stack::{BySize, Engines, StackSize};
use super::ticker::Ticker;
use super::wasi;
use crate::{Concurrency, Context, EngineKind, Failure, Outcome, Prepared, Running, Seed, Workload};

/// A plain synchronous world: the functions that its components import and export.
pub(super) trait World: Send + Sync + Sized + 'static {
    /// What is kept per instance, so that a request needs no look-up.
    type Bound: Send + Sync + 'static;

    /// Adds what the world's host offers.
    fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()>;

    /// Finds the exports and checks their types.
    fn find(component: &Component) -> Result<Self, Refusal>;

    /// Prepares an instance for requests.
    fn bind(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Self::Bound>;

    /// Calls the export that `event` is for. The inner error is the guest's answer; the outer one ended the guest.
    fn deliver(
        &self,
        to: (&Self::Bound, &Instance),
        store: &mut Store<Guest>,
        event: Event,
    ) -> impl Future<Output = Answer<Vec<u8>>> + Send;
}

/// A component of the world `W`, ready to be instantiated: in the pool, and where that is full, beside it.
pub(super) struct Program<W>(Arc<Places<W>>);

/// Where a component is instantiated.
struct Places<W> {
    pooled: Arc<Ready<W>>,
    beside: BySize<Ready<W>>,
    ticker: Arc<Ticker>,
}

/// A checked and linked component in one engine.
struct Ready<W> {
    world: W,
    instance: InstancePre<Guest>,
}

impl<W: World> Ready<W> {
    fn new(component: &Component) -> Result<Self, Refusal> {
        let world = W::find(component)?;
        let mut linker = Linker::<Guest>::new(component.engine());
        link::<W>(&mut linker, component).map_err(|e| Refusal::invalid(&e))?;
        let instance = linker
            .instantiate_pre(component)
            .map_err(|error| Refusal::not_linked(&format!("{error:#}"), error.root_cause().to_string()))?;
        Ok(Self { world, instance })
    }
}

/// Offers what a component of the world may import.
fn link<W: World>(linker: &mut Linker<Guest>, component: &Component) -> wasmtime::Result<()> {
    wasi::link(linker)?;
    keyvalue::link(linker, component)?;
    operations::link(linker)?;
    W::link(linker)
}

impl<W: World> Program<W> {
    /// Checks and links a compiled component.
    pub(super) fn new(component: Component, beside: Engines, ticker: Arc<Ticker>) -> Result<Self, Refusal> {
        let pooled = Arc::new(Ready::new(&component)?);
        Ok(Self(Arc::new(Places { pooled, beside: BySize::new(component, beside, Ready::new), ticker })))
    }
}

impl<W: World> Places<W> {
    async fn instantiate(&self, seed: &Seed) -> Result<(Arc<Ready<W>>, Live<W>), ActorError> {
        let stack = StackSize::within(seed.limits.stack_bytes);
        if seed.limits.table_elements <= POOLED_TABLE_ELEMENTS && stack == StackSize::POOLED {
            match instantiate(&self.pooled, seed, &self.ticker).await {
                Ok(live) => return Ok((Arc::clone(&self.pooled), live)),
                Err(NotCreated::PoolFull) => {}
                Err(NotCreated::Failed(error)) => return Err(error),
            }
        }
        let ready = self.beside.of(stack).await?;
        match instantiate(&ready, seed, &self.ticker).await {
            Ok(live) => Ok((ready, live)),
            Err(error) => Err(error.into()),
        }
    }
}

impl<W: World> Prepared for Program<W> {
    fn kind(&self) -> EngineKind {
        EngineKind::Wasm
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    fn create(&self, seed: Seed) -> Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, ActorError>> + Send>> {
        let places = Arc::clone(&self.0);
        Box::pin(async move {
            let (ready, live) = places.instantiate(&seed).await?;
            let slot = Mutex::new(Slot::Idle(Box::new(live)));
            Ok(Arc::new(Plain { ready, ticker: Arc::clone(&places.ticker), slot }) as Arc<dyn Workload>)
        })
    }
}

/// Why there is no instance.
enum NotCreated {
    PoolFull,
    Failed(ActorError),
}

impl From<NotCreated> for ActorError {
    fn from(error: NotCreated) -> Self {
        match error {
            NotCreated::PoolFull => {
                Self::coded(ErrorKind::Unavailable, Code::WasmInstantiate, "no room for an instance")
            }
            NotCreated::Failed(error) => error,
        }
    }
}

async fn instantiate<W: World>(ready: &Ready<W>, seed: &Seed, ticker: &Arc<Ticker>) -> Result<Live<W>, NotCreated> {
    let mut store = Guest::store(ready.instance.component().engine(), seed);
    store.set_epoch_deadline(1);
    let meter = Arc::clone(&store.data().meter);
    let made = {
        let future = std::pin::pin!(ready.instance.instantiate_async(&mut store));
        tokio::time::timeout(seed.limits.wall, Metered::new(&meter, ticker, future)).await
    };
    let instance = made.map_err(|_| NotCreated::Failed(failure::too_slow(seed.limits.wall)))?;
    let refused = store.data().budget.refused();
    let failed = |error: wasmtime::Error| match error.is::<PoolConcurrencyLimitError>() {
        true => NotCreated::PoolFull,
        false => NotCreated::Failed(failure::not_created(&error, refused)),
    };
    let instance = instance.map_err(failed)?;
    let bound = ready.world.bind(&mut store, &instance).map_err(failed)?;
    store.data_mut().end_event();
    Ok(Live { store, instance, bound, meter })
}

/// A workload: an instance and where it is.
struct Plain<W: World> {
    ready: Arc<Ready<W>>,
    ticker: Arc<Ticker>,
    slot: Mutex<Slot<W>>,
}

enum Slot<W: World> {
    Idle(Box<Live<W>>),
    Running,
    Lost,
}

struct Live<W: World> {
    store: Store<Guest>,
    instance: Instance,
    bound: W::Bound,
    meter: Arc<Meter>,
}

impl<W: World> Workload for Plain<W> {
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running {
        Box::pin(async move {
            let mut taken = Taken::from(&self)?;
            let outcome = taken.handle(context, event).await;
            if !matches!(outcome, Err(Failure::Crash(_))) {
                taken.give_back();
            }
            outcome
        })
    }

    fn is_lost(&self) -> bool {
        matches!(*self.slot.lock(), Slot::Lost)
    }
}

/// The instance of a workload while it handles an event. If it goes without being given back, the workload is lost.
struct Taken<'a, W: World> {
    workload: &'a Plain<W>,
    live: Option<Box<Live<W>>>,
}

impl<'a, W: World> Taken<'a, W> {
    fn from(workload: &'a Plain<W>) -> Result<Self, Failure> {
        let mut slot = workload.slot.lock();
        match std::mem::replace(&mut *slot, Slot::Running) {
            Slot::Idle(live) => Ok(Self { workload, live: Some(live) }),
            other => {
                *slot = other;
                let message = "the workload is lost, or handles another event";
                Err(Failure::Error(ActorError::coded(ErrorKind::Unavailable, Code::ActorRestarting, message)))
            }
        }
    }

    async fn handle(&mut self, context: Context, event: Event) -> Outcome {
        // INVARIANT: `live` is there until `give_back` consumes `self`.
        let Some(live) = &mut self.live else { return Ok(Bytes::new()) };
        let Live { store, instance, bound, meter } = &mut **live;
        store.data_mut().begin_event(context);
        store.set_epoch_deadline(1);
        let answer = {
            let future = std::pin::pin!(self.workload.ready.world.deliver((bound, instance), store, event));
            Metered::new(meter, &self.workload.ticker, future).await
        };
        let guest = store.data_mut();
        guest.end_event();
        match answer {
            Ok(Ok(reply)) => within_limit(reply, guest.budget.limits().reply_bytes),
            Ok(Err(error)) => Err(Failure::Error(error)),
            Err(error) => Err(Failure::Crash(failure::crash(&error, guest.budget.refused()))),
        }
    }

    fn give_back(mut self) {
        if let Some(live) = self.live.take() {
            *self.workload.slot.lock() = Slot::Idle(live);
        }
    }
}

impl<W: World> Drop for Taken<'_, W> {
    fn drop(&mut self) {
        if self.live.is_some() {
            *self.workload.slot.lock() = Slot::Lost;
        }
    }
}

/// The reply, if it is not larger than it may be.
pub(super) fn within_limit(reply: Vec<u8>, limit: usize) -> Outcome {
    if reply.len() > limit {
        let message = format!("the reply has {} bytes, the limit is {limit}", reply.len());
        return Err(Failure::Error(ActorError::coded(ErrorKind::Internal, Code::GuestReplyLimit, message)));
    }
    Ok(Bytes::from(reply))
}
