//! Polls of handlers: one level deeper on the stack each, and no panic gets out.

use std::cell::Cell as ThreadCell;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use playhouse_engine::{Context, Failure, Outcome, Running, Workload};
use playhouse_types::{ActorError, Code, ErrorKind, Event};

use crate::scope::{Handler, within};

/// Handlers inside handlers on one stack. Each level takes a few kilobytes of a worker's 2 MiB stack, ten times that in debug builds; deeper calls are queued.
const DEPTH_MAX: u32 = 12;

thread_local! {
    static DEPTH: ThreadCell<u32> = const { ThreadCell::new(0) };
}

/// On this thread no handler is begun inside another: what it calls is handled by the runtime's workers.
pub(crate) fn never_nest() {
    DEPTH.set(DEPTH_MAX);
}

/// Whether no further handler may begin on this stack.
pub(super) fn is_deep() -> bool {
    DEPTH.get() >= DEPTH_MAX
}

/// Begins to handle an event. A panic of an engine is a crash of its workload, here and below.
pub(super) fn begin_contained(workload: Arc<dyn Workload>, context: Context, event: Event) -> Running {
    let begun = std::panic::catch_unwind(AssertUnwindSafe(|| workload.run(context, event)));
    begun.unwrap_or_else(|_| Box::pin(std::future::ready(Err(engine_panicked()))))
}

/// An event being handled, whose panics are crashes of its workload.
pub(super) struct Contained(Running, Handler);

impl Contained {
    pub(super) const fn new(running: Running, handler: Handler) -> Self {
        Self(running, handler)
    }
}

impl Future for Contained {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Outcome> {
        let Self(running, handler) = &mut *self;
        poll_contained(running, *handler, cx)
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let running = std::mem::replace(&mut self.0, Box::pin(std::future::pending()));
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(running)));
    }
}

fn engine_panicked() -> Failure {
    Failure::Crash(ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the engine panicked"))
}

/// Polls a handler one level deeper.
pub(super) fn poll_contained(running: &mut Running, handler: Handler, cx: &mut task::Context<'_>) -> Poll<Outcome> {
    DEPTH.set(DEPTH.get() + 1);
    let polled = within(handler, || std::panic::catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))));
    DEPTH.set(DEPTH.get() - 1);
    polled.unwrap_or_else(|_| Poll::Ready(Err(engine_panicked())))
}
