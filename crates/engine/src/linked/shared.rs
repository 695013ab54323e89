use std::sync::Arc;

use bytes::Bytes;
use playhouse_guest::{Context as GuestContext, SharedDispatch};
use playhouse_types::{ActorError, Event};

use super::{HostBackend, contained};
use crate::contract::{Context, Running, Workload};

/// A value that handles any number of events at the same time.
pub(super) struct Shared<A> {
    actor: A,
}

impl<A> Shared<A> {
    pub(super) const fn new(actor: A) -> Self {
        Self { actor }
    }
}

impl<A: SharedDispatch> Workload for Shared<A> {
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running {
        Box::pin(async move {
            let backend = HostBackend(context);
            let cx = GuestContext::new(&backend);
            contained(handle(&self.actor, cx, event)).await
        })
    }

    fn is_lost(&self) -> bool {
        false
    }
}

async fn handle<A: SharedDispatch>(actor: &A, cx: GuestContext<'_>, event: Event) -> Result<Bytes, ActorError> {
    match event {
        Event::Request { route, payload } => return actor.dispatch(cx, &route, payload).await,
        Event::Chunk { chunk, sender } => actor.on_chunk(cx, chunk, sender).await?,
        Event::Start => actor.on_start(cx).await?,
        Event::Ready => actor.on_ready(cx).await?,
        Event::Stop => actor.on_stop(cx).await?,
        Event::Error(event) => actor.on_error(cx, event).await?,
        Event::Runtime(event) => actor.on_runtime(cx, event).await,
    }
    Ok(Bytes::new())
}
