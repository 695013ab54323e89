use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, HostOp, HostReply, LogLevel, ParseError};
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::actr::asynchronous::{computed, no_such_event, token_of_running};
use super::actr::{Invocations, Tasks};
use super::budget::Budget;
use super::failure::LimitBroken;
use super::ids::IdText;
use super::log::Log;
use super::meter::Meter;
use super::wasi;
use crate::{Context, Seed};

/// Bytes that a guest may hand to its host at once beyond the limit of a reply: strings and metadata around it.
const HANDED_OVER_EXTRA_BYTES: usize = 1 << 20;

/// Handles of WASI resources that one guest may hold: streams and pollables. A leak of the guest must end somewhere.
const RESOURCES_MAX: usize = 1024;

/// Tasks, waits and operations under way that one guest of an asynchronous world may have in the host's memory, some hundred bytes
/// each: 64 for each of as many events as there can be at a time.
const CONCURRENT_MAX: usize = 16 << 10;

/// What the host keeps for one instance, in its store.
pub(super) struct Guest {
    /// The event at hand.
    pub(super) current: Option<Context>,
    /// The events at hand, where there can be several.
    pub(super) invocations: Option<Arc<Invocations>>,
    /// What the guest runs for them.
    pub(super) tasks: Tasks,
    /// Whose instance it is.
    pub(super) self_text: IdText,
    /// The last caller that the guest asked for, and its text: many requests come from one actor.
    last_caller: Option<(ActorId, IdText)>,
    pub(super) budget: Budget,
    pub(super) meter: Arc<Meter>,
    pub(super) log: Arc<Log>,
    /// Made when the guest first uses WASI: most never do.
    wasi: Option<wasi::Surroundings>,
    pub(super) resources: ResourceTable,
}

impl Guest {
    /// A store for one instance, which enforces the limits of `seed`.
    pub(super) fn store(engine: &Engine, seed: &Seed) -> Store<Self> {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES_MAX);
        let guest = Self {
            current: None,
            invocations: None,
            tasks: Tasks::default(),
            self_text: IdText::from(&seed.self_id),
            last_caller: None,
            budget: Budget::new(Arc::clone(&seed.limits)),
            meter: Arc::new(Meter::new(seed.limits.cpu)),
            log: Arc::new(Log::new(seed)),
            wasi: None,
            resources,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.budget);
        store.set_hostcall_fuel(seed.limits.reply_bytes.saturating_add(HANDED_OVER_EXTRA_BYTES));
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(CONCURRENT_MAX);
        }
        store.epoch_deadline_callback(|mut store| {
            let time = store.data().meter.tick()?;
            if store.data().invocations.is_some() {
                computed(&mut store, time)?;
            }
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }

    /// A new event: budgets start anew.
    pub(super) fn begin_event(&mut self, context: Context) {
        self.current = Some(context);
        self.budget.begin_event();
        self.log.begin_event();
    }

    /// The event is over: what the guest wrote without a line's end is logged.
    pub(super) fn end_event(&mut self) {
        self.current = None;
        if let Some(wasi) = &self.wasi {
            wasi.flush();
        }
    }

    /// The event at hand.
    pub(super) fn invocation(&self) -> Result<&Context, LimitBroken> {
        self.current.as_ref().ok_or(LimitBroken::NoInvocation)
    }

    /// Who sent the event at hand, if an actor did.
    pub(super) fn caller(&mut self) -> Result<Option<IdText>, LimitBroken> {
        let Some(caller) = &self.current.as_ref().ok_or(LimitBroken::NoInvocation)?.caller else { return Ok(None) };
        if let Some((id, text)) = &self.last_caller
            && id == caller
        {
            return Ok(Some(text.clone()));
        }
        let (_, text) = self.last_caller.insert((caller.clone(), IdText::from(caller)));
        Ok(Some(text.clone()))
    }

    /// Logs what the guest says. Counts as a host operation.
    pub(super) fn say(&mut self, level: LogLevel, text: &str) -> Result<(), LimitBroken> {
        self.budget.host_call()?;
        self.log.write(level, text);
        Ok(())
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let log = &self.log;
        let wasi = self.wasi.get_or_insert_with(|| wasi::Surroundings::new(log));
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut self.resources }
    }
}

/// Logs what the guest says, in the task that runs where there are several. Counts as a host operation of the task's event.
pub(super) fn say(store: &mut StoreContextMut<'_, Guest>, level: LogLevel, text: &str) -> wasmtime::Result<()> {
    let token = if store.data().invocations.is_some() { token_of_running(store)? } else { None };
    let guest = store.data_mut();
    match (&guest.invocations, token) {
        (Some(invocations), Some(token)) => {
            invocations.host_call(token)?;
            guest.log.write(level, text);
        }
        _ => guest.say(level, text)?,
    }
    Ok(())
}

/// An answer for a guest; or, outside, an error that ends the guest.
pub(super) type Answer<T> = wasmtime::Result<Result<T, ActorError>>;

/// Performs an operation that the guest asked for. `op` is the operation, or why it is malformed.
pub(super) async fn perform(
    mut store: StoreContextMut<'_, Guest>,
    op: Result<HostOp, ActorError>,
) -> Answer<HostReply> {
    if store.data().invocations.is_some() {
        return Box::pin(perform_beside_others(store, op)).await;
    }
    let guest = store.data_mut();
    guest.budget.host_call()?;
    let context = guest.invocation()?;
    Ok(match op {
        Ok(op) => contained(async { context.host.perform(context, op).await }).await,
        Err(error) => Err(error),
    })
}

/// The same, where several events are at hand: it is an operation of the one in whose task the guest asks.
async fn perform_beside_others(
    mut store: StoreContextMut<'_, Guest>,
    op: Result<HostOp, ActorError>,
) -> Answer<HostReply> {
    let token = token_of_running(&mut store)?;
    let (Some(token), Some(invocations)) = (token, &store.data().invocations) else { return Ok(Err(no_such_event())) };
    invocations.host_call(token)?;
    Ok(match op.and_then(|op| invocations.perform(token, op)) {
        Ok(operation) => contained(operation).await,
        Err(error) => Err(error),
    })
}

/// A panic of the host's is an error for the guest: neither its stack nor whoever drives it is unwound.
pub(super) async fn contained(
    operation: impl Future<Output = Result<HostReply, ActorError>>,
) -> Result<HostReply, ActorError> {
    let panicked = |_| Err(ActorError::new(ErrorKind::Internal, "the host panicked while it performed an operation"));
    AssertUnwindSafe(operation).catch_unwind().await.unwrap_or_else(panicked)
}

/// What a guest hears that named something malformed.
pub(super) fn malformed(error: &ParseError) -> ActorError {
    ActorError::coded(ErrorKind::InvalidArgument, Code::MalformedOperation, error.to_string())
}
