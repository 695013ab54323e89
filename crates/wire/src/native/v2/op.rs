use std::time::Duration;

use bytes::Bytes;
use playhouse_abi::native::status;
use playhouse_abi::native::v2::op;
use playhouse_types::{
    ActorError, CryptoOp, HashAlgorithm, HostOp, KeyPurpose, Label, Schedule, StateChange, StateKey, StateOp,
    StateVersion, Timer, TimerOp, Timestamp,
};
use prost::Message;

use super::super::host::{self, Refusal};
use crate::error::WireError;
use crate::fields;
use crate::proto::{
    ChangeV2, CryptoV2, DurationV2, RandomV2, StateCompareAndSetV2, StateScanV2, StateWriteV2, TimerV2, schedule_v2,
};

/// Writes in one operation. As many as one message may commit; counted before they are decoded, since an empty one has 2 bytes on
/// the wire and 72 in memory.
const CHANGES_MAX: usize = 10_000;

/// Why an operation is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpRefusal {
    /// There is no operation of that number.
    Unknown,
    /// Its message breaks a rule.
    Malformed(ActorError),
}

impl From<WireError> for OpRefusal {
    fn from(error: WireError) -> Self {
        Self::Malformed(error.into())
    }
}

/// Reads the message of an operation that a guest asks for. Messages inside share its bytes.
///
/// # Errors
/// Why it is refused.
pub fn read_op(op: u32, message: Bytes) -> Result<HostOp, OpRefusal> {
    Ok(match op {
        ..16 => return host::read_op(op, message).map_err(refusal),
        op::STATE_GET => HostOp::State(StateOp::Get { key: key(message)? }),
        op::STATE_WRITE => HostOp::State(StateOp::Write { changes: changes(message)? }),
        op::STATE_COMPARE_AND_SET => HostOp::State(compare_and_set(message)?),
        op::STATE_SCAN => {
            let scan: StateScanV2 = decode(message, "state scan")?;
            let after = scan.after.map(key).transpose()?;
            HostOp::State(StateOp::Scan { prefix: scan.prefix, after, limit: scan.limit })
        }
        op::TIMER_SET => HostOp::Timer(TimerOp::Set(timer(message)?)),
        op::TIMER_CANCEL => HostOp::Timer(TimerOp::Cancel { name: raw_label(&message)? }),
        op::CRYPTO_PUBLIC_KEY..=op::CRYPTO_VERIFY_MAC => HostOp::Crypto(crypto(op, decode(message, "key operation")?)?),
        op::CONFIG => HostOp::Config { name: raw_label(&message)? },
        op::SECRET => HostOp::Secret { name: raw_label(&message)? },
        op::RANDOM => HostOp::Random { bytes: decode::<RandomV2>(message, "wish for randomness")?.bytes },
        op::NOW => HostOp::Now,
        _ => return Err(OpRefusal::Unknown),
    })
}

fn refusal(refusal: Refusal) -> OpRefusal {
    match refusal {
        Refusal::Code(status::UNSUPPORTED_OP) => OpRefusal::Unknown,
        Refusal::Code(_) => WireError::Undecodable { what: "operation" }.into(),
        Refusal::Reply { error, .. } => OpRefusal::Malformed(error),
    }
}

fn decode<M: Message + Default>(message: Bytes, what: &'static str) -> Result<M, WireError> {
    M::decode(message).map_err(|_| WireError::Undecodable { what })
}

fn key(bytes: Bytes) -> Result<StateKey, WireError> {
    Ok(StateKey::new(bytes)?)
}

fn raw_label(bytes: &[u8]) -> Result<Label, WireError> {
    let text = std::str::from_utf8(bytes).map_err(|_| WireError::Undecodable { what: "name" })?;
    Ok(text.parse()?)
}

fn change(message: ChangeV2) -> Result<StateChange, WireError> {
    Ok(StateChange { key: key(message.key)?, value: message.value })
}

fn changes(message: Bytes) -> Result<Vec<StateChange>, WireError> {
    const CHANGES: u32 = 1;
    let what = "state write";
    let found = fields::count(&message, CHANGES).map_err(|_| WireError::Undecodable { what })?;
    if found > CHANGES_MAX {
        return Err(WireError::TooMany { what: "state changes", found, limit: CHANGES_MAX });
    }
    decode::<StateWriteV2>(message, what)?.changes.into_iter().map(change).collect()
}

fn compare_and_set(message: Bytes) -> Result<StateOp, WireError> {
    let message: StateCompareAndSetV2 = decode(message, "state comparison")?;
    let change = change(message.change.ok_or(WireError::Missing { what: "change" })?)?;
    Ok(StateOp::CompareAndSet { expected: StateVersion::new(message.expected), change })
}

fn timer(message: Bytes) -> Result<Timer, WireError> {
    let message: TimerV2 = decode(message, "timer")?;
    let schedule = match message.schedule.ok_or(WireError::Missing { what: "schedule" })? {
        schedule_v2::Kind::After(time) => Schedule::After(duration(time)?),
        schedule_v2::Kind::At(time) => Schedule::At(Timestamp::clamped(time.seconds, time.nanoseconds)),
        schedule_v2::Kind::Every(time) => Schedule::Every(duration(time)?),
        schedule_v2::Kind::Cron(expression) => Schedule::Cron(expression),
    };
    Ok(Timer { name: message.name.parse()?, schedule, route: message.route.parse()?, payload: message.payload })
}

fn duration(message: DurationV2) -> Result<Duration, WireError> {
    if message.nanoseconds >= 1_000_000_000 {
        let found = i64::from(message.nanoseconds);
        return Err(WireError::UnknownNumber { what: "number of nanoseconds", found });
    }
    Ok(Duration::new(message.seconds, message.nanoseconds))
}

fn crypto(op: u32, message: CryptoV2) -> Result<CryptoOp, WireError> {
    let CryptoV2 { key, data, context, into, proof, public_key, choice } = message;
    let key = || key.parse::<Label>();
    let unknown = |what| WireError::UnknownNumber { what, found: i64::from(choice) };
    Ok(match op {
        op::CRYPTO_PUBLIC_KEY => CryptoOp::PublicKey {
            key: key()?,
            purpose: match choice {
                1 => KeyPurpose::Sign,
                2 => KeyPurpose::Agree,
                _ => return Err(unknown("purpose of a key")),
            },
        },
        op::CRYPTO_SIGN => CryptoOp::Sign { key: key()?, message: data },
        op::CRYPTO_VERIFY => CryptoOp::Verify { public_key, message: data, signature: proof },
        op::CRYPTO_SEAL => CryptoOp::Seal { key: key()?, plaintext: data, context },
        op::CRYPTO_OPEN => CryptoOp::Open { key: key()?, ciphertext: data, context },
        op::CRYPTO_AGREE => CryptoOp::Agree { key: key()?, peer: data, context, into: into.parse()? },
        op::CRYPTO_DERIVE => CryptoOp::Derive { key: key()?, context, into: into.parse()? },
        op::CRYPTO_HASH => CryptoOp::Hash {
            algorithm: match choice {
                1 => HashAlgorithm::Sha256,
                2 => HashAlgorithm::Sha512,
                _ => return Err(unknown("algorithm of a hash")),
            },
            data,
        },
        op::CRYPTO_MAC => CryptoOp::Mac { key: key()?, message: data },
        _ => CryptoOp::VerifyMac { key: key()?, message: data, tag: proof },
    })
}
