//! The future that owns an instance of `actr:workload@0.2.0`.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context as Cx, Poll};

use futures_util::future::{FutureExt, Shared};
use futures_util::stream::{FuturesUnordered, StreamExt};
use playhouse_types::{ActorError, Code, ErrorKind, Event};
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, Instance};
use wasmtime::{AsContextMut, Store};

use crate::wasm::actr::asynchronous::exports::{Functions, InvocationCtx, Live};
use crate::wasm::failure;
use crate::wasm::guest::Guest;
use crate::wasm::meter::Meter;

/// What a guest answers to one event.
pub(super) type Answer = Result<Vec<u8>, ActorError>;

/// Ready once the instance has ended. Whoever polls it drives the instance.
pub(super) type Driver = Shared<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// One event for the instance.
pub(super) struct Command {
    pub(super) token: u64,
    pub(super) event: Event,
    pub(super) answer: oneshot::Sender<Answer>,
    /// Kept until the guest has ended the event, whether somebody still waits for it or not.
    pub(super) slot: Slot,
}

/// One of the events that may be in progress.
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slot {
    /// None if `limit` are taken.
    pub(super) fn take(taken: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let more = |count: usize| (count < limit).then_some(count + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(Arc::clone(taken)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why an instance has ended, once it has.
#[derive(Debug, Default)]
pub(super) struct End(OnceLock<ActorError>);

impl End {
    pub(super) fn has_come(&self) -> bool {
        self.0.get().is_some()
    }

    pub(super) fn cause(&self) -> ActorError {
        let unknown = || ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, "the guest has ended");
        self.0.get().cloned().unwrap_or_else(unknown)
    }
}

pub(super) fn start(
    functions: Arc<Functions>,
    store: Store<Guest>,
    instance: Instance,
    commands: mpsc::Receiver<Command>,
    end: Arc<End>,
) -> Driver {
    let meter = Arc::clone(&store.data().meter);
    let future = drive(functions, store, instance, commands, end);
    let metered: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(Clocked { future: Box::pin(future), meter });
    metered.shared()
}

async fn drive(
    functions: Arc<Functions>,
    mut store: Store<Guest>,
    instance: Instance,
    commands: mpsc::Receiver<Command>,
    end: Arc<End>,
) {
    let served = store
        .run_concurrent(async |accessor| serve(&functions, Live { accessor, instance: &instance }, commands).await)
        .await;
    let Err(error) = served.flatten() else { return };
    // Set before the store goes and with it the senders that its callers wait for.
    drop(end.0.set(failure::crash(&error, store.data().budget.refused())));
}

/// Takes events as they come, and lets the guest work at all of them, until the workload goes or the guest fails.
async fn serve(functions: &Functions, to: Live<'_>, mut commands: mpsc::Receiver<Command>) -> wasmtime::Result<()> {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => running.push(handle(functions, to, command)),
                None => return Ok(()),
            },
            Some(ended) = running.next() => ended?,
        }
    }
}

async fn handle(functions: &Functions, to: Live<'_>, command: Command) -> wasmtime::Result<()> {
    let Command { token, event, answer, slot } = command;
    let Some(ctx) = begin(to.accessor, token) else { return Ok(()) };
    let answered = functions.deliver(to, event, ctx).await?;
    to.accessor.with(|mut access| access.data_mut().end_event());
    drop(slot);
    // Nobody minds if it was given up.
    drop(answer.send(answered));
    Ok(())
}

/// Starts the budgets anew and says what the guest hears of the event; none if it was given up already.
fn begin(accessor: &Accessor<Guest>, token: u64) -> Option<InvocationCtx> {
    accessor.with(|mut access| {
        access.as_context_mut().set_epoch_deadline(1);
        let guest = access.data_mut();
        let context = guest.invocations.as_ref()?.context(token)?;
        guest.budget.begin_event();
        guest.log.begin_event();
        guest.meter.begin();
        Some(InvocationCtx::new(token, &context))
    })
}

/// Counts the time in which the instance computes. Several events share it: it starts anew with each that begins.
struct Clocked<F> {
    future: Pin<Box<F>>,
    meter: Arc<Meter>,
}

impl<F: Future<Output = ()>> Future for Clocked<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<()> {
        self.meter.resume(true);
        let poll = self.future.as_mut().poll(cx);
        self.meter.pause();
        poll
    }
}
