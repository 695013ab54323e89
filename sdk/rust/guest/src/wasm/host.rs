use std::future::ready;
use std::sync::OnceLock;
use std::time::Duration;

use playhouse_types::{ActorError, ActorId, ErrorKind, HostOp, HostReply, LogLevel, RequestId};

use super::bindings::playhouse::actor::{host, invocation, types as wit};
use super::convert;
use crate::context::{Backend, Operation};

/// The imported host, for one event. What surrounds the event is asked for when the actor first wants it.
#[derive(Default)]
pub(super) struct HostBackend {
    caller: OnceLock<Option<ActorId>>,
    request_id: OnceLock<RequestId>,
}

impl Backend for HostBackend {
    fn self_id(&self) -> &ActorId {
        /// The same in every event.
        static SELF_ID: OnceLock<ActorId> = OnceLock::new();
        SELF_ID.get_or_init(|| well_formed(convert::id_in(invocation::self_id())))
    }

    fn caller(&self) -> Option<&ActorId> {
        self.caller.get_or_init(|| invocation::caller().map(|id| well_formed(convert::id_in(id)))).as_ref()
    }

    fn request_id(&self) -> &RequestId {
        self.request_id.get_or_init(|| well_formed(invocation::request_id().parse().map_err(convert::malformed)))
    }

    fn time_left(&self) -> Option<Duration> {
        invocation::time_left_ms().map(Duration::from_millis)
    }

    fn perform(&self, op: HostOp) -> Operation {
        Box::pin(ready(perform(op)))
    }

    fn log(&self, level: LogLevel, text: &str) {
        log(level, text);
    }
}

/// What the host says of the event. An id that breaks a rule is no error of the actor's, and there is nothing to go on with.
fn well_formed<T>(said: Result<T, ActorError>) -> T {
    said.unwrap_or_else(|error| {
        log(LogLevel::Error, error.message());
        std::process::abort()
    })
}

pub(super) fn log(level: LogLevel, text: &str) {
    host::log(convert::level_out(level), text);
}

fn perform(op: HostOp) -> Result<HostReply, ActorError> {
    match op {
        HostOp::Call { dest, route, payload } => host::call(&convert::dest_out(&dest), route.as_str(), &payload)
            .map(|reply| HostReply::Bytes(reply.into()))
            .map_err(convert::error_in),
        HostOp::Tell { dest, route, payload } => done(host::tell(&convert::dest_out(&dest), route.as_str(), &payload)),
        HostOp::Discover { actor_type } => {
            let id = host::discover(&convert::type_out(&actor_type)).map_err(convert::error_in)?;
            convert::id_in(id).map(HostReply::Actor)
        }
        HostOp::RegisterStream { stream_id } => done(host::register_stream(stream_id.as_str())),
        HostOp::UnregisterStream { stream_id } => done(host::unregister_stream(stream_id.as_str())),
        HostOp::SendChunk { dest, chunk, class } => {
            let class = convert::class_out(class)?;
            done(host::send_chunk(&convert::dest_out(&dest), &convert::chunk_out(chunk), class))
        }
        HostOp::State(_)
        | HostOp::Timer(_)
        | HostOp::Crypto(_)
        | HostOp::Config { .. }
        | HostOp::Secret { .. }
        | HostOp::Random { .. }
        | HostOp::Now => {
            let text = "a component asks for it without its backend, so that it imports only what it uses";
            Err(ActorError::new(ErrorKind::NotImplemented, text))
        }
    }
}

fn done(result: Result<(), wit::Error>) -> Result<HostReply, ActorError> {
    result.map(|()| HostReply::Done).map_err(convert::error_in)
}
