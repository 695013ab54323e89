//! Components of actr 0.3, once their types are async: the plain world over other host functions.

use playhouse_types::Event;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker};

use super::host;
use crate::wasm::actr::shape::Shape;
use crate::wasm::actr::{Actr, Bound};
use crate::wasm::guest::{Answer, Guest};
use crate::wasm::plain::World;
use crate::wasm::refusal::Refusal;

/// The world in shape `S` with every function async. The guest still takes one event at a time.
pub(super) struct Lifted<S: Shape>(Actr<S>);

impl<S: Shape> World for Lifted<S> {
    type Bound = Bound<S>;

    fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        host::link_1::<S>(linker)
    }

    fn find(component: &Component) -> Result<Self, Refusal> {
        Actr::find(component).map(Self)
    }

    fn bind(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Bound<S>> {
        self.0.bind(store, instance)
    }

    async fn deliver(&self, to: (&Bound<S>, &Instance), store: &mut Store<Guest>, event: Event) -> Answer<Vec<u8>> {
        self.0.deliver(to, store, event).await
    }
}
