//! The entry points of a wasm guest: the world `playhouse:actor/guest`.

pub mod bindings;
mod convert;
mod host;
pub(crate) mod operations;

use std::sync::{Mutex, Once, PoisonError};

pub use wit_bindgen::rt;

use playhouse_types::{ActorError, LogLevel, RouteKey};

use self::bindings::exports::playhouse::actor::actor::Guest;
use self::bindings::playhouse::actor::types as wit;
use self::host::HostBackend;
use crate::actor::{Actor, Dispatch};
use crate::context::Context;
use crate::internal::{Program, pending, poll_once};

impl<P: Program> Guest for P {
    fn handle(route: String, payload: Vec<u8>) -> Result<Vec<u8>, wit::Error> {
        let run = || {
            let route = known(&route)?;
            let backend = HostBackend::default();
            with::<P, _>(|actor| poll_once(actor.dispatch(Context::new(&backend), &route, payload.into())))?
        };
        run().map(Vec::from).map_err(|error| convert::error_out(&error))
    }

    fn on_start() -> Result<(), wit::Error> {
        hook::<P>(|actor, cx| poll_once(actor.on_start(cx)))
    }

    fn on_ready() -> Result<(), wit::Error> {
        hook::<P>(|actor, cx| poll_once(actor.on_ready(cx)))
    }

    fn on_stop() -> Result<(), wit::Error> {
        hook::<P>(|actor, cx| poll_once(actor.on_stop(cx)))
    }

    fn on_error(event: wit::ErrorEvent) -> Result<(), wit::Error> {
        let event = convert::error_event(event);
        hook::<P>(|actor, cx| poll_once(actor.on_error(cx, event)))
    }

    fn on_runtime(event: wit::RuntimeEvent) {
        let told = convert::runtime_event(event)
            .map_err(|error| convert::error_out(&error))
            .and_then(|event| hook::<P>(|actor, cx| poll_once(actor.on_runtime(cx, event)).map(Ok)));
        if let Err(error) = told {
            host::log(LogLevel::Warn, &error.message);
        }
    }

    fn on_chunk(chunk: wit::DataChunk, sender: wit::ActorId) -> Result<(), wit::Error> {
        let chunk = convert::chunk_in(chunk).map_err(|error| convert::error_out(&error))?;
        let sender = convert::id_in(sender).map_err(|error| convert::error_out(&error))?;
        hook::<P>(|actor, cx| poll_once(actor.on_chunk(cx, chunk, sender)))
    }
}

/// The route key of a text. The last one is kept: most requests come by the same route, and need not be checked again.
fn known(text: &str) -> Result<RouteKey, ActorError> {
    static LAST: Mutex<Option<RouteKey>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some(route) if route.as_str() == text => Ok(route.clone()),
        _ => Ok(last.insert(text.parse().map_err(convert::malformed)?).clone()),
    }
}

/// Runs one hook. [`None`] is a handler that did not end on its only poll.
fn hook<P: Program>(
    run: impl FnOnce(&mut P::Actor, Context<'_>) -> Option<Result<(), ActorError>>,
) -> Result<(), wit::Error> {
    let backend = HostBackend::default();
    let told = with::<P, _>(|actor| run(actor, Context::new(&backend))).flatten();
    told.map_err(|error| convert::error_out(&error))
}

fn with<P: Program, T>(run: impl FnOnce(&mut P::Actor) -> Option<T>) -> Result<T, ActorError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| std::panic::set_hook(Box::new(|panic| host::log(LogLevel::Error, &panic.to_string()))));
    P::slot().with(run)?.ok_or_else(pending)
}

/// See [`crate::export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_wasm {
    ($actor:ty, || $new:expr) => {
        #[allow(unsafe_code, reason = "wit-bindgen writes the entry points of the canonical ABI here")]
        const _: () = {
            struct Component;
            impl $crate::internal::Program for Component {
                type Actor = $actor;
                fn slot() -> &'static $crate::internal::Slot<$actor> {
                    static SLOT: $crate::internal::Slot<$actor> = $crate::internal::Slot::new(|| $new);
                    &SLOT
                }
            }
    $crate::wasm::bindings::__export_world!(Component with_types_in $crate::wasm::bindings);
        };
    };
}
