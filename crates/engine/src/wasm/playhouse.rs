//! The world `playhouse:actor/guest@0.1.0`: ours.

use playhouse_types::{ActorError, Event};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker, TypedFunc};

use super::exports::{Export, Exports};
use super::guest::{Answer, Guest};
use super::plain::World;
use super::refusal::Refusal;
use super::values::DataChunk;
use events::{ErrorEvent, RuntimeEvent};
use types::{ActorId, Error};

mod events;
mod host;
mod invocation;
pub(super) mod operations;
mod types;

/// The interface that guests export.
pub(super) const EXPORT: &str = "playhouse:actor/actor@0.1.0";

/// Interfaces that only guests of this world may import.
pub(super) const IMPORTS: &[&str] = &[host::NAME, invocation::NAME];

type Handle = (String, Vec<u8>);
type Bytes = (Result<Vec<u8>, Error>,);
type Done = (Result<(), Error>,);

/// The exports of a component of this world.
pub(super) struct Playhouse {
    handle: Export<Handle, Bytes>,
    on_start: Export<(), Done>,
    on_ready: Export<(), Done>,
    on_stop: Export<(), Done>,
    on_error: Export<(ErrorEvent,), Done>,
    on_runtime: Export<(RuntimeEvent,), ()>,
    on_chunk: Export<(DataChunk, ActorId), Done>,
}

/// What is kept per instance.
pub(super) struct Bound {
    handle: TypedFunc<Handle, Bytes>,
}

impl World for Playhouse {
    type Bound = Bound;

    fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        invocation::link(linker)?;
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
        Ok(Bound { handle: self.handle.of(store, instance)? })
    }

    async fn deliver(
        &self,
        (bound, instance): (&Bound, &Instance),
        store: &mut Store<Guest>,
        event: Event,
    ) -> Answer<Vec<u8>> {
        match event {
            Event::Request { route, payload } => {
                let (reply,) = bound.handle.call_async(store, (route.as_str().to_owned(), payload.into())).await?;
                Ok(reply.map_err(ActorError::from))
            }
            Event::Chunk { chunk, sender } => {
                done(self.on_chunk.call(store, instance, (chunk.into(), (&sender).into())).await)
            }
            Event::Start => done(self.on_start.call(store, instance, ()).await),
            Event::Ready => done(self.on_ready.call(store, instance, ()).await),
            Event::Stop => done(self.on_stop.call(store, instance, ()).await),
            Event::Error(event) => done(self.on_error.call(store, instance, (event.into(),)).await),
            Event::Runtime(event) => {
                self.on_runtime.call(store, instance, (event.into(),)).await?;
                Ok(Ok(Vec::new()))
            }
        }
    }
}

fn done(result: wasmtime::Result<Done>) -> Answer<Vec<u8>> {
    let (answer,) = result?;
    Ok(answer.map(|()| Vec::new()).map_err(ActorError::from))
}
