//! Rust values linked into the host's program.
//!
//! A panic in a handler ends that call and nothing else: the value stays, as after an error. Handlers run on the threads of the
//! node's runtime, so they must not block.

mod serial;
mod shared;

use std::future::Future;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use playhouse_guest::{Backend, Dispatch, Operation, SharedDispatch};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, HostOp, LogLevel, RequestId};

use crate::contract::{Concurrency, Context, EngineKind, Failure, Outcome, Prepared, Seed, Workload};

/// A program that is a Rust value: each actor of it gets a value from the factory.
pub struct Linked<F, A, M> {
    factory: F,
    kind: PhantomData<fn() -> (A, M)>,
}

/// Marks a [`Linked`] program whose values handle one event at a time.
#[derive(Debug)]
pub struct OneAtATime;

/// Marks a [`Linked`] program whose values handle any number of events at the same time.
#[derive(Debug)]
pub struct ManyAtATime;

impl<F, A> Linked<F, A, OneAtATime>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Dispatch,
{
    /// A program whose values handle one event at a time.
    pub const fn serial(factory: F) -> Self {
        Self { factory, kind: PhantomData }
    }
}

impl<F, A> Linked<F, A, ManyAtATime>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: SharedDispatch,
{
    /// A program whose values handle any number of events at the same time.
    pub const fn shared(factory: F) -> Self {
        Self { factory, kind: PhantomData }
    }
}

impl<F, A, M> std::fmt::Debug for Linked<F, A, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linked").field("actor", &std::any::type_name::<A>()).finish()
    }
}

type Creation = Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, ActorError>> + Send>>;

impl<F, A> Prepared for Linked<F, A, OneAtATime>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Dispatch,
{
    fn kind(&self) -> EngineKind {
        EngineKind::Linked
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    fn create(&self, _seed: Seed) -> Creation {
        let made = make(&self.factory).map(|actor| Arc::new(serial::Serial::new(actor)) as Arc<dyn Workload>);
        Box::pin(std::future::ready(made))
    }
}

impl<F, A> Prepared for Linked<F, A, ManyAtATime>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: SharedDispatch,
{
    fn kind(&self) -> EngineKind {
        EngineKind::Linked
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Shared
    }

    fn create(&self, _seed: Seed) -> Creation {
        let made = make(&self.factory).map(|actor| Arc::new(shared::Shared::new(actor)) as Arc<dyn Workload>);
        Box::pin(std::future::ready(made))
    }
}

fn make<A>(factory: &impl Fn() -> A) -> Result<A, ActorError> {
    std::panic::catch_unwind(AssertUnwindSafe(factory)).map_err(|payload| {
        let text = panic_text(payload.as_ref());
        ActorError::coded(ErrorKind::Internal, Code::GuestStart, format!("making the actor panicked: {text}"))
    })
}

/// Awaits a handler; its panic becomes the error of this event.
async fn contained(handler: impl Future<Output = Result<Bytes, ActorError>>) -> Outcome {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(reply) => reply.map_err(Failure::Error),
        Err(payload) => {
            let text = panic_text(payload.as_ref());
            Err(Failure::Error(ActorError::coded(
                ErrorKind::Internal,
                Code::HandlerPanic,
                format!("the handler panicked: {text}"),
            )))
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

/// What a linked handler's `Context` stands on.
struct HostBackend(Context);

impl Backend for HostBackend {
    fn self_id(&self) -> &ActorId {
        &self.0.self_id
    }

    fn caller(&self) -> Option<&ActorId> {
        self.0.caller.as_ref()
    }

    fn request_id(&self) -> &RequestId {
        &self.0.request_id
    }

    fn time_left(&self) -> Option<Duration> {
        self.0.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn perform(&self, op: HostOp) -> Operation {
        self.0.host.perform(&self.0, op)
    }

    fn log(&self, level: LogLevel, text: &str) {
        self.0.host.log(&self.0.self_id, level, text);
    }
}

#[cfg(test)]
mod tests;
