//! The world `playhouse:actor/guest@0.1.0`: ours.

use std::sync::Arc;

use parking_lot::Mutex;
use playhouse_types::{ActorError, Event};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker, TypedFunc};

use super::exports::{Export, Exports};
use super::guest::{Answer, Guest};
use super::ids::request_id;
use super::plain::World;
use super::refusal::Refusal;
use events::{ErrorEvent, RuntimeEvent};
use types::{ActorId, DataChunk, Error, Invocation};

mod events;
mod host;
mod types;

/// The interface that guests export.
pub(super) const EXPORT: &str = "playhouse:actor/actor@0.1.0";

/// Interfaces that guests may import, beside WASI.
pub(super) const IMPORTS: &[&str] = &["playhouse:actor/types@0.1.0", host::NAME];

type Handle = (Invocation, String, Vec<u8>);
type Bytes = (Result<Vec<u8>, Error>,);
type Done = (Result<(), Error>,);

/// The exports of a component of this world.
pub(super) struct Playhouse {
    handle: Export<Handle, Bytes>,
    on_start: Export<(Invocation,), Done>,
    on_ready: Export<(Invocation,), Done>,
    on_stop: Export<(Invocation,), Done>,
    on_error: Export<(Invocation, ErrorEvent), Done>,
    on_runtime: Export<(Invocation, RuntimeEvent), ()>,
    on_chunk: Export<(Invocation, DataChunk, ActorId), Done>,
}

/// What is kept per instance.
pub(super) struct Bound {
    handle: TypedFunc<Handle, Bytes>,
    self_id: Arc<ActorId>,
    /// The last caller: many requests come from one actor.
    caller: Mutex<Option<(playhouse_types::ActorId, Arc<ActorId>)>>,
}

impl Bound {
    fn invocation(&self, guest: &Guest) -> wasmtime::Result<Invocation> {
        let context = guest.invocation()?;
        let caller = context.caller.as_ref().map(|id| self.caller(id));
        Ok(Invocation { self_id: Arc::clone(&self.self_id), caller, request_id: request_id(&context.request_id) })
    }

    fn caller(&self, id: &playhouse_types::ActorId) -> Arc<ActorId> {
        let mut last = self.caller.lock();
        match &*last {
            Some((known, text)) if known == id => Arc::clone(text),
            _ => Arc::clone(&last.insert((id.clone(), Arc::new(id.into()))).1),
        }
    }
}

impl World for Playhouse {
    type Bound = Bound;

    fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        host::link(linker)
    }

    fn find(component: &Component) -> Result<Self, Refusal> {
        let exports = Exports::new(component, EXPORT)?;
        Ok(Self {
            handle: exports.function("handle")?,
            on_start: exports.function("on-start")?,
            on_ready: exports.function("on-ready")?,
            on_stop: exports.function("on-stop")?,
            on_error: exports.function("on-error")?,
            on_runtime: exports.function("on-runtime")?,
            on_chunk: exports.function("on-chunk")?,
        })
    }

    fn bind(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Bound> {
        let self_id = Arc::new(ActorId::from(store.data().self_text.clone()));
        Ok(Bound { handle: self.handle.of(store, instance)?, self_id, caller: Mutex::new(None) })
    }

    async fn deliver(
        &self,
        (bound, instance): (&Bound, &Instance),
        store: &mut Store<Guest>,
        event: Event,
    ) -> Answer<Vec<u8>> {
        let context = bound.invocation(store.data())?;
        match event {
            Event::Request { route, payload } => {
                let params = (context, route.as_str().to_owned(), payload.into());
                let (reply,) = bound.handle.call_async(store, params).await?;
                Ok(reply.map_err(ActorError::from))
            }
            Event::Chunk { chunk, sender } => {
                let params = (context, chunk.into(), (&sender).into());
                done(self.on_chunk.call(store, instance, params).await)
            }
            Event::Start => done(self.on_start.call(store, instance, (context,)).await),
            Event::Ready => done(self.on_ready.call(store, instance, (context,)).await),
            Event::Stop => done(self.on_stop.call(store, instance, (context,)).await),
            Event::Error(event) => done(self.on_error.call(store, instance, (context, event.into())).await),
            Event::Runtime(event) => {
                self.on_runtime.call(store, instance, (context, event.into())).await?;
                Ok(Ok(Vec::new()))
            }
        }
    }
}

fn done(result: wasmtime::Result<Done>) -> Answer<Vec<u8>> {
    let (answer,) = result?;
    Ok(answer.map(|()| Vec::new()).map_err(ActorError::from))
}
