use bytes::Bytes;
use playhouse_abi::native::op as v1;
use playhouse_abi::native::v2::op;
use playhouse_types::{HostReply, StateEntry, StateKey, StateVersion, Timestamp};
use prost::Message;

use super::super::guest::timestamp;
use crate::error::WireError;
use crate::proto::{ActrId, EntriesV2, EntryV2, MaybeV2, TimestampV1};

/// Appends what an operation came to.
pub fn write_reply(reply: &HostReply, out: &mut Vec<u8>) {
    match reply {
        HostReply::Done | HostReply::Entry(None) => {}
        HostReply::Bytes(bytes) => out.extend_from_slice(bytes),
        HostReply::Actor(id) => ActrId::from(id).encode_raw(out),
        HostReply::Entry(Some(found)) => entry(found).encode_raw(out),
        HostReply::Entries { entries, more } => {
            EntriesV2 { entries: entries.iter().map(entry).collect(), more: *more }.encode_raw(out);
        }
        HostReply::Flag(flag) => out.push(u8::from(*flag)),
        HostReply::Maybe(value) => MaybeV2 { value: value.clone() }.encode_raw(out),
        HostReply::Time(time) => timestamp(*time).encode_raw(out),
    }
}

/// Reads what the operation of that number came to.
///
/// # Errors
/// If the bytes are no answer to it, or there is no such operation.
pub fn read_reply(op: u32, bytes: Bytes) -> Result<HostReply, WireError> {
    Ok(match op {
        v1::CALL | v1::CALL_RAW | op::RANDOM => HostReply::Bytes(bytes),
        op::CRYPTO_PUBLIC_KEY
        | op::CRYPTO_SIGN
        | op::CRYPTO_SEAL
        | op::CRYPTO_OPEN
        | op::CRYPTO_HASH
        | op::CRYPTO_MAC => HostReply::Bytes(bytes),
        v1::TELL | v1::REGISTER_STREAM | v1::UNREGISTER_STREAM | v1::SEND_DATA_STREAM => HostReply::Done,
        op::STATE_WRITE | op::TIMER_SET | op::TIMER_CANCEL | op::CRYPTO_AGREE | op::CRYPTO_DERIVE => HostReply::Done,
        v1::DISCOVER => HostReply::Actor((&decode::<ActrId>(bytes, "actor id")?).try_into()?),
        op::STATE_GET if bytes.is_empty() => HostReply::Entry(None),
        op::STATE_GET => HostReply::Entry(Some(parse_entry(decode(bytes, "state entry")?)?)),
        op::STATE_SCAN => {
            let found: EntriesV2 = decode(bytes, "state entries")?;
            let entries = found.entries.into_iter().map(parse_entry).collect::<Result<_, _>>()?;
            HostReply::Entries { entries, more: found.more }
        }
        op::STATE_COMPARE_AND_SET | op::CRYPTO_VERIFY | op::CRYPTO_VERIFY_MAC => match bytes[..] {
            [0] => HostReply::Flag(false),
            [1] => HostReply::Flag(true),
            _ => return Err(WireError::Undecodable { what: "flag" }),
        },
        op::CONFIG | op::SECRET => HostReply::Maybe(decode::<MaybeV2>(bytes, "setting")?.value),
        op::NOW => {
            let time: TimestampV1 = decode(bytes, "time")?;
            HostReply::Time(Timestamp::clamped(time.seconds, time.nanoseconds))
        }
        op => return Err(WireError::UnknownNumber { what: "operation", found: i64::from(op) }),
    })
}

fn decode<M: Message + Default>(bytes: Bytes, what: &'static str) -> Result<M, WireError> {
    M::decode(bytes).map_err(|_| WireError::Undecodable { what })
}

fn entry(entry: &StateEntry) -> EntryV2 {
    EntryV2 { key: entry.key.as_bytes().clone(), value: entry.value.clone(), version: entry.version.get() }
}

fn parse_entry(message: EntryV2) -> Result<StateEntry, WireError> {
    let version = StateVersion::new(message.version).ok_or(WireError::Missing { what: "version" })?;
    Ok(StateEntry { key: StateKey::new(message.key)?, value: message.value, version })
}
