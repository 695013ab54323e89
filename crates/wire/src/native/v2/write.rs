use bytes::Bytes;
use playhouse_abi::native::op as v1;
use playhouse_abi::native::v2::op;
use playhouse_types::{
    CryptoOp, Dest, HashAlgorithm, HostOp, KeyPurpose, Schedule, StateChange, StateOp, Timer, TimerOp,
};
use prost::Message;

use super::super::guest::timestamp;
use crate::proto::{
    self, ChangeV2, CryptoV2, DestV1, DurationV2, HostCallV1, HostDiscoverV1, HostRegisterStreamV1,
    HostSendDataStreamV1, HostTellV1, HostUnregisterStreamV1, RandomV2, StateCompareAndSetV2, StateScanV2,
    StateWriteV2, TimerV2, dest_v1, schedule_v2,
};

/// Appends the message of an operation; gives the operation's number. Numbers below 16 are V1's, and so are their messages.
pub fn write_op(op: HostOp, out: &mut Vec<u8>) -> u32 {
    match op {
        HostOp::Call { dest: to, route, payload } => {
            HostCallV1 { route_key: route.to_string(), dest: Some(dest(&to)), payload }.encode_raw(out);
            v1::CALL
        }
        HostOp::Tell { dest: to, route, payload } => {
            HostTellV1 { route_key: route.to_string(), dest: Some(dest(&to)), payload }.encode_raw(out);
            v1::TELL
        }
        HostOp::Discover { actor_type } => {
            HostDiscoverV1 { target_type: Some(proto::ActrType::from(&actor_type)) }.encode_raw(out);
            v1::DISCOVER
        }
        HostOp::RegisterStream { stream_id } => {
            HostRegisterStreamV1 { stream_id: stream_id.to_string() }.encode_raw(out);
            v1::REGISTER_STREAM
        }
        HostOp::UnregisterStream { stream_id } => {
            HostUnregisterStreamV1 { stream_id: stream_id.to_string() }.encode_raw(out);
            v1::UNREGISTER_STREAM
        }
        HostOp::SendChunk { dest: to, chunk, class } => {
            let (dest, chunk) = (Some(dest(&to)), Some((&chunk).into()));
            HostSendDataStreamV1 { dest, chunk, payload_type: class.number() }.encode_raw(out);
            v1::SEND_DATA_STREAM
        }
        HostOp::State(op) => write_state(op, out),
        HostOp::Timer(TimerOp::Set(timer)) => {
            timer_message(timer).encode_raw(out);
            op::TIMER_SET
        }
        HostOp::Timer(TimerOp::Cancel { name }) => raw(name.as_str(), out, op::TIMER_CANCEL),
        HostOp::Crypto(op) => {
            let (number, message) = crypto(op);
            message.encode_raw(out);
            number
        }
        HostOp::Config { name } => raw(name.as_str(), out, op::CONFIG),
        HostOp::Secret { name } => raw(name.as_str(), out, op::SECRET),
        HostOp::Random { bytes } => {
            RandomV2 { bytes }.encode_raw(out);
            op::RANDOM
        }
        HostOp::Now => op::NOW,
    }
}

fn raw(text: impl AsRef<[u8]>, out: &mut Vec<u8>, number: u32) -> u32 {
    out.extend_from_slice(text.as_ref());
    number
}

fn dest(dest: &Dest) -> DestV1 {
    let kind = match dest {
        Dest::Shell => dest_v1::Kind::Shell(true),
        Dest::Local => dest_v1::Kind::Local(true),
        Dest::Actor(id) => dest_v1::Kind::Actor(id.into()),
    };
    DestV1 { kind: Some(kind) }
}

fn change(change: StateChange) -> ChangeV2 {
    ChangeV2 { key: change.key.as_bytes().clone(), value: change.value }
}

fn write_state(op: StateOp, out: &mut Vec<u8>) -> u32 {
    match op {
        StateOp::Get { key } => raw(key.as_bytes(), out, op::STATE_GET),
        StateOp::Write { changes } => {
            StateWriteV2 { changes: changes.into_iter().map(change).collect() }.encode_raw(out);
            op::STATE_WRITE
        }
        StateOp::CompareAndSet { expected, change: write } => {
            let expected = expected.map_or(0, std::num::NonZero::get);
            StateCompareAndSetV2 { expected, change: Some(change(write)) }.encode_raw(out);
            op::STATE_COMPARE_AND_SET
        }
        StateOp::Scan { prefix, after, limit } => {
            StateScanV2 { prefix, after: after.map(|key| key.as_bytes().clone()), limit }.encode_raw(out);
            op::STATE_SCAN
        }
    }
}

fn timer_message(timer: Timer) -> TimerV2 {
    let duration = |time: std::time::Duration| DurationV2 { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() };
    let schedule = match timer.schedule {
        Schedule::After(time) => schedule_v2::Kind::After(duration(time)),
        Schedule::At(time) => schedule_v2::Kind::At(timestamp(time)),
        Schedule::Every(time) => schedule_v2::Kind::Every(duration(time)),
        Schedule::Cron(expression) => schedule_v2::Kind::Cron(expression),
    };
    let (name, route) = (timer.name.to_string(), timer.route.to_string());
    TimerV2 { name, route, payload: timer.payload, schedule: Some(schedule) }
}

fn crypto(op: CryptoOp) -> (u32, CryptoV2) {
    let with = |key: playhouse_types::Label, data: Bytes, context: Bytes| CryptoV2 {
        key: key.to_string(),
        data,
        context,
        ..Default::default()
    };
    let none = Bytes::new;
    match op {
        CryptoOp::PublicKey { key, purpose } => {
            let choice = if purpose == KeyPurpose::Sign { 1 } else { 2 };
            (op::CRYPTO_PUBLIC_KEY, CryptoV2 { choice, ..with(key, none(), none()) })
        }
        CryptoOp::Sign { key, message } => (op::CRYPTO_SIGN, with(key, message, none())),
        CryptoOp::Verify { public_key, message, signature } => {
            (op::CRYPTO_VERIFY, CryptoV2 { public_key, data: message, proof: signature, ..Default::default() })
        }
        CryptoOp::Seal { key, plaintext, context } => (op::CRYPTO_SEAL, with(key, plaintext, context)),
        CryptoOp::Open { key, ciphertext, context } => (op::CRYPTO_OPEN, with(key, ciphertext, context)),
        CryptoOp::Agree { key, peer, context, into } => {
            (op::CRYPTO_AGREE, CryptoV2 { into: into.to_string(), ..with(key, peer, context) })
        }
        CryptoOp::Derive { key, context, into } => {
            (op::CRYPTO_DERIVE, CryptoV2 { into: into.to_string(), ..with(key, none(), context) })
        }
        CryptoOp::Hash { algorithm, data } => {
            let choice = if algorithm == HashAlgorithm::Sha256 { 1 } else { 2 };
            (op::CRYPTO_HASH, CryptoV2 { choice, data, ..Default::default() })
        }
        CryptoOp::Mac { key, message } => (op::CRYPTO_MAC, with(key, message, none())),
        CryptoOp::VerifyMac { key, message, tag } => {
            (op::CRYPTO_VERIFY_MAC, CryptoV2 { proof: tag, ..with(key, message, none()) })
        }
    }
}
