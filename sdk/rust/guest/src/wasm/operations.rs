//! Host operations that a guest's world has only if the guest asks for them. They are called from where they are asked for and not
//! through the [`Backend`], whose table of functions every guest has: so a component imports no interface that it does not use.

use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use playhouse_types::{
    ActorError, Code, CryptoOp, ErrorKind, HashAlgorithm, HostReply, KeyPurpose, Label, LogLevel, LogText, Schedule,
    StateChange, StateEntry, StateKey, StateOp, StateVersion, Timer, TimerOp,
};

use super::bindings::playhouse::actor::{clock, crypto, log as wit_log, random, settings, state, timers, types as wit};
use super::convert::{error_in, level_out, malformed, time, time_out};
use crate::context::{Backend, Operation};

type Reply = Result<HostReply, ActorError>;

pub(crate) fn state(_backend: &dyn Backend, op: StateOp) -> Operation {
    done(match op {
        StateOp::Get { key } => get(key),
        StateOp::Write { changes } => write(changes),
        StateOp::CompareAndSet { expected, change } => {
            let change = change_out(change);
            flag(state::compare_and_set(expected.map(StateVersion::get), &change))
        }
        StateOp::Scan { prefix, after, limit } => {
            let after = after.as_ref().map(|after| after.as_bytes().as_ref());
            state::scan(&prefix, after, limit).map_err(error_in).and_then(page)
        }
    })
}

fn get(key: StateKey) -> Reply {
    let found = state::get(key.as_bytes()).map_err(error_in)?;
    let entry = found.map(|found| entry(key, found.value, found.version)).transpose()?;
    Ok(HostReply::Entry(entry))
}

/// One write crosses as it is, several in a list that the guest has to make.
fn write(changes: Vec<StateChange>) -> Reply {
    ended(match changes.as_slice() {
        [StateChange { key, value: Some(value) }] => state::set(key.as_bytes(), value),
        [StateChange { key, value: None }] => state::delete(key.as_bytes()),
        _ => state::write(&changes.into_iter().map(change_out).collect::<Vec<_>>()),
    })
}

fn change_out(change: StateChange) -> state::Change {
    state::Change { key: change.key.as_bytes().to_vec(), value: change.value.map(Vec::from) }
}

fn page(page: state::Page) -> Reply {
    let entries = page.entries.into_iter().map(|found| {
        let key = StateKey::new(found.key).map_err(malformed)?;
        entry(key, found.value, found.version)
    });
    Ok(HostReply::Entries { entries: entries.collect::<Result<_, _>>()?, more: page.more })
}

fn entry(key: StateKey, value: Vec<u8>, version: u64) -> Result<StateEntry, ActorError> {
    let none =
        || ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, "the host gave a value without a version");
    Ok(StateEntry { key, value: value.into(), version: StateVersion::new(version).ok_or_else(none)? })
}

pub(crate) fn timer(_backend: &dyn Backend, op: TimerOp) -> Operation {
    done(ended(match op {
        TimerOp::Set(Timer { name, schedule, route, payload }) => {
            timers::set(name.as_str(), &schedule_out(schedule), route.as_str(), &payload)
        }
        TimerOp::Cancel { name } => timers::cancel(name.as_str()),
    }))
}

fn schedule_out(schedule: Schedule) -> timers::Schedule {
    match schedule {
        Schedule::After(delay) => timers::Schedule::AfterMs(milliseconds(delay)),
        Schedule::At(at) => timers::Schedule::At(time_out(at)),
        Schedule::Every(period) => timers::Schedule::EveryMs(milliseconds(period)),
        Schedule::Cron(text) => timers::Schedule::Cron(text),
    }
}

/// Rounded up: no timer is early.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(crate) fn crypto(_backend: &dyn Backend, op: CryptoOp) -> Operation {
    done(match op {
        CryptoOp::PublicKey { key, purpose } => bytes(crypto::public_key(key.as_str(), purpose_out(purpose))),
        CryptoOp::Sign { key, message } => bytes(crypto::sign(key.as_str(), &message)),
        CryptoOp::Verify { public_key, message, signature } => flag(crypto::verify(&public_key, &message, &signature)),
        CryptoOp::Seal { key, plaintext, context } => bytes(crypto::seal(key.as_str(), &plaintext, &context)),
        CryptoOp::Open { key, ciphertext, context } => bytes(crypto::open(key.as_str(), &ciphertext, &context)),
        CryptoOp::Agree { key, peer, context, into } => {
            ended(crypto::agree(key.as_str(), &peer, &context, into.as_str()))
        }
        CryptoOp::Derive { key, context, into } => ended(crypto::derive(key.as_str(), &context, into.as_str())),
        CryptoOp::Hash { algorithm, data } => bytes(crypto::hash(algorithm_out(algorithm), &data)),
        CryptoOp::Mac { key, message } => bytes(crypto::mac(key.as_str(), &message)),
        CryptoOp::VerifyMac { key, message, tag } => flag(crypto::verify_mac(key.as_str(), &message, &tag)),
    })
}

fn purpose_out(purpose: KeyPurpose) -> crypto::KeyPurpose {
    match purpose {
        KeyPurpose::Sign => crypto::KeyPurpose::Sign,
        KeyPurpose::Agree => crypto::KeyPurpose::Agree,
    }
}

fn algorithm_out(algorithm: HashAlgorithm) -> crypto::HashAlgorithm {
    match algorithm {
        HashAlgorithm::Sha256 => crypto::HashAlgorithm::Sha256,
        HashAlgorithm::Sha512 => crypto::HashAlgorithm::Sha512,
    }
}

pub(crate) fn config(_backend: &dyn Backend, name: &Label) -> Operation {
    let found = settings::config(name.as_str()).map_err(error_in);
    done(found.map(|value| HostReply::Maybe(value.map(Bytes::from))))
}

pub(crate) fn secret(_backend: &dyn Backend, name: &Label) -> Operation {
    let found = settings::secret(name.as_str()).map_err(error_in);
    done(found.map(|value| HostReply::Maybe(value.map(Bytes::from))))
}

pub(crate) fn random(_backend: &dyn Backend, count: u32) -> Operation {
    done(bytes(random::bytes(count)))
}

pub(crate) fn now(_backend: &dyn Backend) -> Operation {
    done(clock::now().map(|at| HostReply::Time(time(at))).map_err(error_in))
}

pub(crate) fn log(_backend: &dyn Backend, level: LogLevel, text: &LogText) {
    let field = |(name, value): (&str, &str)| wit_log::Field { name: name.to_owned(), value: value.to_owned() };
    wit_log::write(level_out(level), text.text(), &text.fields().map(field).collect::<Vec<_>>());
}

fn done(reply: Reply) -> Operation {
    Box::pin(ready(reply))
}

fn ended(result: Result<(), wit::Error>) -> Reply {
    result.map(|()| HostReply::Done).map_err(error_in)
}

fn bytes(result: Result<Vec<u8>, wit::Error>) -> Reply {
    result.map(|bytes| HostReply::Bytes(bytes.into())).map_err(error_in)
}

fn flag(result: Result<bool, wit::Error>) -> Reply {
    result.map(HostReply::Flag).map_err(error_in)
}
