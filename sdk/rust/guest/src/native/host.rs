//! What the actor asks of the host, through the table.

use std::future::ready;
use std::io::Write;

use bytes::Bytes;
use playhouse_abi::native::{ABI_VERSION, HostVTable, op, status};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, HostOp, HostReply, LogLevel, RequestId};
use playhouse_wire::native::Reply;
use playhouse_wire::native::v2::write_op;
use playhouse_wire::proto::{AbiFrame, ActrId};
use prost::Message;

use crate::context::{Backend, Operation};

/// The host, for one event.
pub(super) struct HostBackend {
    pub(super) host: HostVTable,
    pub(super) self_id: ActorId,
    pub(super) caller: Option<ActorId>,
    pub(super) request_id: RequestId,
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
        Box::pin(ready(perform(self.host, op)))
    }

    /// The ABI has no operation for it, so it goes where the host's operator looks for a library's words.
    fn log(&self, level: LogLevel, text: &str) {
        // Nobody may be there to read it, which is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{}: {} {text}", self.self_id, level.name());
    }
}

fn perform(host: HostVTable, op: HostOp) -> Result<HostReply, ActorError> {
    let finds = matches!(op, HostOp::Discover { .. });
    let calls = matches!(op, HostOp::Call { .. });
    let mut payload = Vec::new();
    let op = write_op(op, &mut payload);
    if op > op::SEND_DATA_STREAM {
        return Err(ActorError::new(
            ErrorKind::NotImplemented,
            "the first version of the native ABI has no such operation",
        ));
    }
    let frame = AbiFrame { abi_version: ABI_VERSION, op, payload: payload.into() }.encode_to_vec();
    let reply = invoke(host, &frame)?;
    let reply = Reply::read(&reply)?;
    if reply.status != status::SUCCESS {
        return Err(failure(&reply));
    }
    if finds {
        let id = ActrId::decode(reply.payload)
            .map_err(|_| protocol("the host found an actor but its id does not decode"))?;
        return Ok(HostReply::Actor((&id).try_into()?));
    }
    Ok(if calls { HostReply::Bytes(Bytes::copy_from_slice(reply.payload)) } else { HostReply::Done })
}

/// The encoded reply, copied out of the host's buffer.
fn invoke(host: HostVTable, frame: &[u8]) -> Result<Vec<u8>, ActorError> {
    let (mut out, mut len) = (std::ptr::null_mut(), 0);
    // SAFETY: the frame is a slice of ours and both places may be written; the host promised in `actr_init` that the function
    // stays valid.
    let code = unsafe { (host.invoke)(frame.as_ptr(), frame.len(), &raw mut out, &raw mut len) };
    if code != status::SUCCESS {
        return Err(refused(code));
    }
    // SAFETY: on success the host has put out a buffer of its own, or left null or zero.
    let reply = unsafe { super::bytes(out, len) }.to_vec();
    if !out.is_null() && len > 0 {
        // SAFETY: exactly the pair that `invoke` put out, given back once.
        unsafe { (host.free_host_buf)(out, len) };
    }
    Ok(reply)
}

/// The error in a reply. Hosts of ours write its whole text; those of actr 0.3 write none, and the status has to do.
fn failure(reply: &Reply<'_>) -> ActorError {
    if reply.payload.is_empty() {
        return refused(reply.status);
    }
    let error = reply.error();
    match (error.kind(), error.code(), reply.status) {
        (ErrorKind::Internal, Code::Unspecified, status::PROTOCOL_ERROR | status::UNSUPPORTED_OP) => {
            ActorError::new(kind_of(reply.status), error.message())
        }
        _ => error,
    }
}

pub(super) fn refused(code: i32) -> ActorError {
    ActorError::new(kind_of(code), format!("the host answered with status {code}"))
}

const fn kind_of(code: i32) -> ErrorKind {
    match code {
        status::PROTOCOL_ERROR => ErrorKind::DecodeFailure,
        status::UNSUPPORTED_OP => ErrorKind::NotImplemented,
        _ => ErrorKind::Internal,
    }
}

fn protocol(text: &str) -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, text)
}
