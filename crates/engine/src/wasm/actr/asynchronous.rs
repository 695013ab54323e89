//! The actr worlds whose functions are asynchronous: components of actr 0.3 once their types are
//! [rewritten](crate::wasm::rewrite), and `actr:workload@0.2.0`.
//!
//! | | types | events at a time | how an import is matched to its event |
//! |---|---|---|---|
//! | actr 0.3 | shape A, B or C | one | it is the one event in progress |
//! | `@0.2.0` | shape C | several | by a token that the event carried and the import repeats; of interfaces without tokens, by the task that imports |
//!
//! Host functions never hold the store while they wait, so that a guest can have several operations under way.

use std::sync::Arc;

use playhouse_types::ActorError;
use wasmtime::component::Component;

use super::{A, B, C, ShapeKind, shape_of};
use crate::Prepared;
use crate::wasm::plain::{self, World};
use crate::wasm::stack::Engines;
use crate::wasm::ticker::Ticker;
use lifted::Lifted;
use shared::Program;

mod exports;
mod host;
mod invocations;
mod lifted;
mod shared;
mod tasks;

pub(in crate::wasm) use invocations::{Invocations, no_such_event};
pub(in crate::wasm) use tasks::{Tasks, computed, token_of_running};

/// The interface that guests of `@0.2.0` export.
pub(in crate::wasm) const EXPORT_2: &str = "actr:workload/workload@0.2.0";

/// Interfaces that guests of `@0.2.0` may import, beside WASI.
pub(in crate::wasm) const IMPORTS_2: &[&str] = &["actr:workload/types@0.2.0", host::NAME_2];

/// Prepares a component of actr 0.3 that was rewritten and compiled for an engine with the async component model.
/// `beside` are the engines beside the pool.
pub(in crate::wasm) fn lifted(
    component: Component,
    beside: &Engines,
    ticker: &Arc<Ticker>,
) -> Result<Arc<dyn Prepared>, ActorError> {
    match shape_of(&component)? {
        ShapeKind::A => serial::<Lifted<A>>(component, beside, ticker),
        ShapeKind::B => serial::<Lifted<B>>(component, beside, ticker),
        ShapeKind::C => serial::<Lifted<C>>(component, beside, ticker),
    }
}

fn serial<W: World>(
    component: Component,
    beside: &Engines,
    ticker: &Arc<Ticker>,
) -> Result<Arc<dyn Prepared>, ActorError> {
    Ok(Arc::new(plain::Program::<W>::new(component, beside.clone(), Arc::clone(ticker))?))
}

/// Prepares a component of `actr:workload@0.2.0` that was compiled for an engine with the async component model.
pub(in crate::wasm) fn shared(
    component: Component,
    beside: &Engines,
    ticker: &Arc<Ticker>,
) -> Result<Arc<dyn Prepared>, ActorError> {
    Ok(Arc::new(Program::new(component, beside.clone(), Arc::clone(ticker))?))
}
