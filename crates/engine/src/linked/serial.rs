use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_guest::{Context as GuestContext, Dispatch};
use playhouse_types::{ActorError, ErrorKind, Event};

use super::{HostBackend, contained};
use crate::contract::{Context, Failure, Running, Workload};

/// A value that handles one event at a time. It is taken out while it does.
pub(super) struct Serial<A> {
    home: Mutex<Option<Box<A>>>,
}

impl<A> Serial<A> {
    pub(super) fn new(actor: A) -> Self {
        Self { home: Mutex::new(Some(Box::new(actor))) }
    }
}

/// The value while it handles an event; it goes home even when the handler panics or is given up.
struct Out<A> {
    actor: Option<Box<A>>,
    home: Arc<Serial<A>>,
}

impl<A> Drop for Out<A> {
    fn drop(&mut self) {
        if let Some(actor) = self.actor.take() {
            *self.home.home.lock() = Some(actor);
        }
    }
}

impl<A: Dispatch> Workload for Serial<A> {
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running {
        Box::pin(async move {
            let taken = self.home.lock().take();
            let mut out = Out { actor: taken, home: self };
            let backend = HostBackend(context);
            let cx = GuestContext::new(&backend);
            let Some(actor) = out.actor.as_deref_mut() else {
                let text = "a serial workload was given two events at once";
                return Err(Failure::Error(ActorError::new(ErrorKind::Internal, text)));
            };
            contained(handle(actor, cx, event)).await
        })
    }

    fn is_lost(&self) -> bool {
        false
    }
}

async fn handle<A: Dispatch>(actor: &mut A, cx: GuestContext<'_>, event: Event) -> Result<Bytes, ActorError> {
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
