use bytes::Bytes;
use playhouse_abi::native::{ABI_VERSION, op, status};
use playhouse_types::limits::{METADATA_ENTRIES_MAX, STREAM_ID_BYTES_MAX};
use playhouse_types::{ActorError, ActorId, Dest, HostOp, PayloadClass, StreamId};
use prost::Message;

use super::frame::{Frame, error_status, write_reply};
use crate::error::WireError;
use crate::fields::{self, Broken, Value};
use crate::proto::{self, dest_v1};

/// What a guest asks of its host, parsed.
#[derive(Debug, Clone)]
pub struct HostCall(pub HostOp);

/// Why a guest's request is not carried out, and how the guest is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// `invoke` returns this code and no reply.
    Code(i32),
    /// `invoke` returns 0 and a reply with this status and text.
    Reply {
        /// The status.
        status: i32,
        /// The reason; its text is the payload.
        error: ActorError,
    },
}

impl Refusal {
    fn reply(error: WireError) -> Self {
        let error = ActorError::from(error);
        Self::Reply { status: error_status(error.kind()), error }
    }

    /// The encoded reply, or the code to return without one.
    ///
    /// # Errors
    /// The code.
    pub fn encode(&self) -> Result<Vec<u8>, i32> {
        match self {
            Self::Code(code) => Err(*code),
            Self::Reply { status, error } => {
                let mut out = Vec::new();
                write_reply(*status, error.to_text().as_bytes(), &mut out);
                Ok(out)
            }
        }
    }
}

impl HostCall {
    /// Reads the frame of an `invoke`. The payload is copied once; messages inside share the copy.
    ///
    /// # Errors
    /// How to refuse it.
    pub fn read(frame: &[u8]) -> Result<Self, Refusal> {
        let frame = Frame::read(frame).map_err(|_| Refusal::Code(status::PROTOCOL_ERROR))?;
        if frame.abi_version != ABI_VERSION {
            return Err(Refusal::Code(status::PROTOCOL_ERROR));
        }
        read_op(frame.op, Bytes::copy_from_slice(frame.payload)).map(Self)
    }
}

/// Reads the message of an operation.
pub(super) fn read_op(op: u32, message: Bytes) -> Result<HostOp, Refusal> {
    let parse = match op {
        op::CALL => call,
        op::TELL => tell,
        op::CALL_RAW => call_raw,
        op::DISCOVER => discover,
        op::REGISTER_STREAM => register,
        op::UNREGISTER_STREAM => unregister,
        op::SEND_DATA_STREAM => send_chunk,
        _ => return Err(Refusal::Code(status::UNSUPPORTED_OP)),
    };
    parse(message)
}

fn decode<M: Message + Default>(payload: Bytes) -> Result<M, Refusal> {
    M::decode(payload).map_err(|_| Refusal::Code(status::PROTOCOL_ERROR))
}

fn call(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostCallV1 = decode(payload)?;
    let parse =
        || Ok(HostOp::Call { dest: dest(message.dest)?, route: message.route_key.parse()?, payload: message.payload });
    parse().map_err(Refusal::reply)
}

fn tell(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostTellV1 = decode(payload)?;
    let parse =
        || Ok(HostOp::Tell { dest: dest(message.dest)?, route: message.route_key.parse()?, payload: message.payload });
    parse().map_err(Refusal::reply)
}

fn call_raw(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostCallRawV1 = decode(payload)?;
    let parse = || {
        let target = ActorId::try_from(&message.target.ok_or(WireError::Missing { what: "target" })?)?;
        Ok(HostOp::Call { dest: Dest::Actor(target), route: message.route_key.parse()?, payload: message.payload })
    };
    parse().map_err(Refusal::reply)
}

fn discover(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostDiscoverV1 = decode(payload)?;
    let parse = || {
        let actor_type = message.target_type.ok_or(WireError::Missing { what: "target type" })?;
        Ok(HostOp::Discover { actor_type: (&actor_type).try_into()? })
    };
    parse().map_err(Refusal::reply)
}

fn register(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostRegisterStreamV1 = decode(payload)?;
    Ok(HostOp::RegisterStream { stream_id: stream_id(&message.stream_id)? })
}

fn unregister(payload: Bytes) -> Result<HostOp, Refusal> {
    let message: proto::HostUnregisterStreamV1 = decode(payload)?;
    Ok(HostOp::UnregisterStream { stream_id: stream_id(&message.stream_id)? })
}

fn send_chunk(payload: Bytes) -> Result<HostOp, Refusal> {
    check_metadata(&payload)?;
    let message: proto::HostSendDataStreamV1 = decode(payload)?;
    let class = match PayloadClass::from_number(message.payload_type) {
        Some(class @ (PayloadClass::StreamReliable | PayloadClass::StreamLatencyFirst)) => class,
        _ => {
            let found = i64::from(message.payload_type);
            return Err(Refusal::reply(WireError::UnknownNumber { what: "payload type of a chunk", found }));
        }
    };
    let chunk = message.chunk.ok_or(WireError::Missing { what: "chunk" }).map_err(Refusal::reply)?;
    stream_id(&chunk.stream_id)?;
    let parse = || Ok(HostOp::SendChunk { dest: dest(message.dest)?, chunk: chunk.try_into()?, class });
    parse().map_err(Refusal::reply)
}

/// Counts the metadata of a chunk before it is decoded: an empty entry has 2 bytes here and 48 in memory, so that one frame of the
/// largest size would take gigabytes. A chunk that comes in parts is put together by the decoder, so that its parts count together.
fn check_metadata(mut payload: &[u8]) -> Result<(), Refusal> {
    const CHUNK: u32 = 2;
    const METADATA: u32 = 4;
    let broken = |Broken| Refusal::Code(status::PROTOCOL_ERROR);
    let mut found = 0;
    while let Some(field) = fields::next(&mut payload).map_err(broken)? {
        if let (CHUNK, Value::Bytes(chunk)) = field {
            found += fields::count(chunk, METADATA).map_err(broken)?;
        }
    }
    if found > METADATA_ENTRIES_MAX {
        let error = WireError::TooMany { what: "metadata entries", found, limit: METADATA_ENTRIES_MAX };
        return Err(Refusal::reply(error));
    }
    Ok(())
}

fn dest(message: Option<proto::DestV1>) -> Result<Dest, WireError> {
    match message.and_then(|message| message.kind) {
        Some(dest_v1::Kind::Shell(_)) => Ok(Dest::Shell),
        Some(dest_v1::Kind::Local(_)) => Ok(Dest::Local),
        Some(dest_v1::Kind::Actor(id)) => Ok(Dest::Actor((&id).try_into()?)),
        None => Err(WireError::Missing { what: "destination" }),
    }
}

/// A stream id that is too long is a limit rather than a protocol error, with the status for that.
fn stream_id(text: &str) -> Result<StreamId, Refusal> {
    text.parse().map_err(|error| {
        let status = if text.len() > STREAM_ID_BYTES_MAX { status::ERROR } else { status::PROTOCOL_ERROR };
        Refusal::Reply { status, error: WireError::Malformed(error).into() }
    })
}
