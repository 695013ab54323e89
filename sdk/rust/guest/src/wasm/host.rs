use std::future::ready;

use playhouse_types::{ActorError, ActorId, HostOp, HostReply, LogLevel, RequestId};

use super::bindings::playhouse::actor::{host, types as wit};
use super::convert;
use crate::context::{Backend, Operation};

/// The imported host, for one event.
pub(super) struct HostBackend {
    self_id: ActorId,
    caller: Option<ActorId>,
    request_id: RequestId,
}

impl HostBackend {
    pub(super) fn new(context: wit::Invocation) -> Result<Self, ActorError> {
        Ok(Self {
            self_id: convert::id_in(context.self_id)?,
            caller: context.caller.map(convert::id_in).transpose()?,
            request_id: context.request_id.parse().map_err(convert::malformed)?,
        })
    }
}

impl Backend for HostBackend {
    fn self_id(&self) -> &ActorId {
        &self.self_id
    }

    fn caller(&self) -> Option<&ActorId> {
        self.caller.as_ref()
    }

    fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    fn perform(&self, op: HostOp) -> Operation {
        Box::pin(ready(perform(op)))
    }

    fn log(&self, level: LogLevel, text: &str) {
        log(level, text);
    }
}

pub(super) fn log(level: LogLevel, text: &str) {
    let level = match level {
        LogLevel::Trace => wit::LogLevel::Trace,
        LogLevel::Debug => wit::LogLevel::Debug,
        LogLevel::Info => wit::LogLevel::Info,
        LogLevel::Warn => wit::LogLevel::Warn,
        LogLevel::Error => wit::LogLevel::Error,
    };
    host::log(level, text);
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
    }
}

fn done(result: Result<(), wit::Error>) -> Result<HostReply, ActorError> {
    result.map(|()| HostReply::Done).map_err(convert::error_in)
}
