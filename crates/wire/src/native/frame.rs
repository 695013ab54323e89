use bytes::Bytes;
use playhouse_abi::native::{ABI_VERSION, status};
use playhouse_types::limits::ERROR_TEXT_BYTES_MAX;
use playhouse_types::{ActorError, ActorId, ErrorKind, HostReply};
use prost::Message;

use crate::error::WireError;
use crate::fields::{self, Broken, Value, bytes_field_len, put_bytes, put_head, put_varint, varint_len};
use crate::proto;

/// An `AbiFrame` that borrows the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The version that the sender claims.
    pub abi_version: u32,
    /// The operation.
    pub op: u32,
    /// The operation's message.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads a frame without copying.
    ///
    /// # Errors
    /// [`WireError::Undecodable`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (abi_version, op, payload) =
            read_triple(bytes).map_err(|Broken| WireError::Undecodable { what: "AbiFrame" })?;
        Ok(Self { abi_version, op, payload })
    }
}

/// An `AbiReply` that borrows the bytes it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The version that the sender claims.
    pub abi_version: u32,
    /// Zero, or what went wrong.
    pub status: i32,
    /// The result, or an error's text.
    pub payload: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a reply without copying.
    ///
    /// # Errors
    /// [`WireError::Undecodable`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (abi_version, status, payload) =
            read_triple(bytes).map_err(|Broken| WireError::Undecodable { what: "AbiReply" })?;
        Ok(Self { abi_version, status: status.cast_signed(), payload })
    }

    /// The payload as the error's text, whatever the bytes. Only so much of it is looked at as an error may keep.
    #[must_use]
    pub fn error(&self) -> ActorError {
        // The kind, the service of a missing dependency and the code come on top of the message.
        const BYTES_MAX: usize = 3 * ERROR_TEXT_BYTES_MAX;
        let text = &self.payload[..self.payload.len().min(BYTES_MAX)];
        ActorError::from_text(&String::from_utf8_lossy(text))
    }
}

/// Frames and replies have the same shape: two numbers and bytes.
fn read_triple(mut bytes: &[u8]) -> Result<(u32, u32, &[u8]), Broken> {
    let (mut first, mut second, mut third) = (0, 0, &[][..]);
    while let Some(field) = fields::next(&mut bytes)? {
        match field {
            // Wider numbers lose their upper half, as protobuf has it.
            (1, Value::Varint(value)) => first = value as u32,
            (2, Value::Varint(value)) => second = value as u32,
            (3, Value::Bytes(value)) => third = value,
            (1..=3, _) => return Err(Broken),
            _ => {}
        }
    }
    Ok((first, second, third))
}

/// Writes the frame of `op` around `message`, which is encoded in place.
pub(super) fn write_frame(op: u32, message: &impl Message, out: &mut Vec<u8>) {
    let len = message.encoded_len();
    write_frame_head(op, len, out);
    message.encode_raw(out);
}

/// Writes a frame up to its payload, which follows.
pub(super) fn write_frame_head(op: u32, payload_len: usize, out: &mut Vec<u8>) {
    out.clear();
    out.reserve(2 + 1 + varint_len(u64::from(op)) + bytes_field_len(payload_len));
    out.extend_from_slice(&[0x08, ABI_VERSION as u8, 0x10]);
    put_varint(out, u64::from(op));
    if payload_len > 0 {
        put_head(out, 0x1a, payload_len);
    }
}

/// Writes an `AbiReply` into `out`, which is cleared first.
pub fn write_reply(status: i32, payload: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(13 + bytes_field_len(payload.len()));
    out.extend_from_slice(&[0x08, ABI_VERSION as u8]);
    if status != 0 {
        out.push(0x10);
        put_varint(out, i64::from(status).cast_unsigned());
    }
    if !payload.is_empty() {
        put_bytes(out, 0x1a, payload);
    }
}

/// Writes what a host operation came to. A failure carries its text, from which guests of ours restore kind and code.
pub fn write_host_reply(result: &Result<HostReply, ActorError>, out: &mut Vec<u8>) {
    match result {
        Ok(HostReply::Bytes(bytes)) => write_reply(status::SUCCESS, bytes, out),
        Ok(HostReply::Actor(id)) => write_reply(status::SUCCESS, &encode_id(id), out),
        Ok(HostReply::Done) => write_reply(status::SUCCESS, &[], out),
        // No operation of this ABI has such a reply.
        Ok(_) => write_reply(status::PROTOCOL_ERROR, &[], out),
        Err(error) => write_reply(error_status(error.kind()), error.to_text().as_bytes(), out),
    }
}

fn encode_id(id: &ActorId) -> Bytes {
    proto::ActrId::from(id).encode_to_vec().into()
}

/// The status under which guests of actr 0.3 see the nearest kind.
pub(super) const fn error_status(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::DecodeFailure | ErrorKind::InvalidArgument => status::PROTOCOL_ERROR,
        ErrorKind::NotImplemented => status::UNSUPPORTED_OP,
        _ => status::ERROR,
    }
}
