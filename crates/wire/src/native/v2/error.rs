use bytes::Bytes;
use playhouse_abi::native::v2::kind;
use playhouse_types::limits::ERROR_TEXT_BYTES_MAX;
use playhouse_types::{ActorError, Code, ErrorKind};
use prost::Message;

use crate::proto::ErrorV2;

/// Appends an encoded `ErrorV2`.
pub fn write_error(error: &ActorError, out: &mut Vec<u8>) {
    message(error).encode_raw(out);
}

/// Reads what a guest or a host says about a failure, whatever the bytes: what is no `ErrorV2` is an internal error without a message.
#[must_use]
pub fn read_error(bytes: &[u8]) -> ActorError {
    // The message may be cut, but not the parts beside it; a longer one is none of ours.
    const BYTES_MAX: usize = 4 * ERROR_TEXT_BYTES_MAX;
    match ErrorV2::decode(&bytes[..bytes.len().min(BYTES_MAX)]) {
        Ok(message) if bytes.len() <= BYTES_MAX => parse(&message),
        _ => {
            let text = format!("a failure of {} bytes that does not decode", bytes.len());
            ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, text)
        }
    }
}

pub(super) fn message(error: &ActorError) -> ErrorV2 {
    let code = match error.code() {
        Code::Unspecified => Bytes::new(),
        code => Bytes::from_static(code.text().as_bytes()),
    };
    ErrorV2 {
        kind: kind_number(error.kind()),
        code,
        message: Bytes::copy_from_slice(error.message().as_bytes()),
        service: error.service().map(|text| Bytes::copy_from_slice(text.as_bytes())),
        retry_after_ms: error.retry_after_ms(),
    }
}

pub(super) fn parse(message: &ErrorV2) -> ActorError {
    let text = String::from_utf8_lossy(&message.message);
    let kind = kind_of(message.kind);
    let error = match kind {
        ErrorKind::DependencyNotFound => {
            let service = message.service.as_deref().map(String::from_utf8_lossy);
            ActorError::dependency_not_found(service.unwrap_or_default(), text)
        }
        ErrorKind::ConnectionNotReady => ActorError::connection_not_ready(message.retry_after_ms, text),
        kind => ActorError::new(kind, text),
    };
    let code = std::str::from_utf8(&message.code).ok().and_then(Code::from_text);
    error.with_code(code.unwrap_or(Code::Unspecified))
}

const fn kind_number(kind: ErrorKind) -> u32 {
    match kind {
        ErrorKind::Unavailable => kind::UNAVAILABLE,
        ErrorKind::TimedOut => kind::TIMED_OUT,
        ErrorKind::NotFound => kind::NOT_FOUND,
        ErrorKind::PermissionDenied => kind::PERMISSION_DENIED,
        ErrorKind::InvalidArgument => kind::INVALID_ARGUMENT,
        ErrorKind::UnknownRoute => kind::UNKNOWN_ROUTE,
        ErrorKind::DependencyNotFound => kind::DEPENDENCY_NOT_FOUND,
        ErrorKind::DecodeFailure => kind::DECODE_FAILURE,
        ErrorKind::NotImplemented => kind::NOT_IMPLEMENTED,
        ErrorKind::ConnectionNotReady => kind::CONNECTION_NOT_READY,
        _ => kind::INTERNAL,
    }
}

/// Unknown numbers are internal errors.
fn kind_of(number: u32) -> ErrorKind {
    ErrorKind::ALL.iter().copied().find(|kind| kind_number(*kind) == number).unwrap_or(ErrorKind::Internal)
}
