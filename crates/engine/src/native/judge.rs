//! What a guest's answer means.

use playhouse_abi::native::{ABI_VERSION, status};
use playhouse_types::{ActorError, Code, ErrorKind};
use playhouse_wire::native::Reply;

use super::image::BadReply;
use crate::Failure;

/// Judges the return code and the reply of one `actr_handle`: the reply's payload, or what is wrong. `optional` events need not be known to the guest.
pub(super) fn judge(
    code: i32,
    reply: Result<&[u8], BadReply>,
    optional: bool,
    reply_bytes_max: usize,
) -> Result<&[u8], Failure> {
    match code {
        status::SUCCESS => {}
        status::UNSUPPORTED_OP if optional => return Ok(&[]),
        status::INIT_FAILED => {
            return Err(Failure::Crash(protocol("actr_handle says that the guest is not initialised")));
        }
        code => return Err(error(format!("actr_handle returned {code}"))),
    }
    let bytes = reply.map_err(|bad| error(format!("actr_handle left {bad}")))?;
    let reply = Reply::read(bytes).map_err(|_| error("the guest's reply does not decode".to_owned()))?;
    if !matches!(reply.abi_version, 0 | ABI_VERSION) {
        return Err(error(format!("the guest's reply has ABI version {}, not {ABI_VERSION}", reply.abi_version)));
    }
    match reply.status {
        status::SUCCESS => payload(reply.payload, reply_bytes_max),
        status::UNSUPPORTED_OP if optional => Ok(&[]),
        status if reply.payload.is_empty() => Err(error(format!("the guest failed with status {status} and no text"))),
        _ => Err(Failure::Error(reply.error())),
    }
}

fn payload(payload: &[u8], max: usize) -> Result<&[u8], Failure> {
    if payload.len() > max {
        let message = format!("a reply of {} bytes, at most {max} are allowed", payload.len());
        return Err(Failure::Error(ActorError::coded(ErrorKind::Internal, Code::GuestReplyLimit, message)));
    }
    Ok(payload)
}

fn error(message: String) -> Failure {
    Failure::Error(protocol(message))
}

fn protocol(message: impl Into<String>) -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, message)
}

#[cfg(test)]
mod tests;
