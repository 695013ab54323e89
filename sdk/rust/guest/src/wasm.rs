//! The entry points of a wasm guest: the world `playhouse:actor/guest`.

pub mod bindings;
mod convert;
mod host;

use std::sync::Once;

pub use wit_bindgen::rt;

use playhouse_types::{ActorError, LogLevel};

use self::bindings::exports::playhouse::actor::actor::Guest;
use self::bindings::playhouse::actor::types as wit;
use self::host::HostBackend;
use crate::actor::{Actor, Dispatch};
use crate::context::Context;
use crate::internal::{Program, pending, poll_once};

impl<P: Program> Guest for P {
    fn handle(context: wit::Invocation, route: String, payload: Vec<u8>) -> Result<Vec<u8>, wit::Error> {
        let run = || {
            let route = route.parse().map_err(convert::malformed)?;
            let backend = HostBackend::new(context)?;
            with::<P, _>(|actor| poll_once(actor.dispatch(Context::new(&backend), &route, payload.into())))?
        };
        run().map(Vec::from).map_err(|error| convert::error_out(&error))
    }

    fn on_start(context: wit::Invocation) -> Result<(), wit::Error> {
        hook::<P>(context, |actor, cx| poll_once(actor.on_start(cx)))
    }

    fn on_ready(context: wit::Invocation) -> Result<(), wit::Error> {
        hook::<P>(context, |actor, cx| poll_once(actor.on_ready(cx)))
    }

    fn on_stop(context: wit::Invocation) -> Result<(), wit::Error> {
        hook::<P>(context, |actor, cx| poll_once(actor.on_stop(cx)))
    }

    fn on_error(context: wit::Invocation, event: wit::ErrorEvent) -> Result<(), wit::Error> {
        let event = convert::error_event(event);
        hook::<P>(context, |actor, cx| poll_once(actor.on_error(cx, event)))
    }

    fn on_runtime(context: wit::Invocation, event: wit::RuntimeEvent) {
        let told = convert::runtime_event(event)
            .map_err(|error| convert::error_out(&error))
            .and_then(|event| hook::<P>(context, |actor, cx| poll_once(actor.on_runtime(cx, event)).map(Ok)));
        if let Err(error) = told {
            host::log(LogLevel::Warn, &error.message);
        }
    }

    fn on_chunk(context: wit::Invocation, chunk: wit::DataChunk, sender: wit::ActorId) -> Result<(), wit::Error> {
        let chunk = convert::chunk_in(chunk).map_err(|error| convert::error_out(&error))?;
        let sender = convert::id_in(sender).map_err(|error| convert::error_out(&error))?;
        hook::<P>(context, |actor, cx| poll_once(actor.on_chunk(cx, chunk, sender)))
    }
}

/// Runs one hook. [`None`] is a handler that did not end on its only poll.
fn hook<P: Program>(
    context: wit::Invocation,
    run: impl FnOnce(&mut P::Actor, Context<'_>) -> Option<Result<(), ActorError>>,
) -> Result<(), wit::Error> {
    let all = || {
        let backend = HostBackend::new(context)?;
        with::<P, _>(|actor| run(actor, Context::new(&backend)))?
    };
    all().map_err(|error| convert::error_out(&error))
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
