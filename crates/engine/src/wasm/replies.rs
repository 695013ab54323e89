//! What a host answers, by what was asked.

use bytes::Bytes;
use playhouse_types::{ActorError, ActorId, ErrorKind, HostReply, StateEntry, Timestamp};

pub(super) fn bytes(reply: HostReply) -> Result<Vec<u8>, ActorError> {
    match reply {
        HostReply::Bytes(bytes) => Ok(bytes.into()),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn actor(reply: HostReply) -> Result<ActorId, ActorError> {
    match reply {
        HostReply::Actor(id) => Ok(id),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn done(reply: HostReply) -> Result<(), ActorError> {
    match reply {
        HostReply::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn flag(reply: HostReply) -> Result<bool, ActorError> {
    match reply {
        HostReply::Flag(flag) => Ok(flag),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn entry(reply: HostReply) -> Result<Option<StateEntry>, ActorError> {
    match reply {
        HostReply::Entry(entry) => Ok(entry),
        other => Err(unexpected(&other)),
    }
}

/// Values, and whether there are more.
pub(super) fn entries(reply: HostReply) -> Result<(Vec<StateEntry>, bool), ActorError> {
    match reply {
        HostReply::Entries { entries, more } => Ok((entries, more)),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn maybe(reply: HostReply) -> Result<Option<Bytes>, ActorError> {
    match reply {
        HostReply::Maybe(value) => Ok(value),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn time(reply: HostReply) -> Result<Timestamp, ActorError> {
    match reply {
        HostReply::Time(time) => Ok(time),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(reply: &HostReply) -> ActorError {
    ActorError::new(ErrorKind::Internal, format!("the host answered an operation with {reply:?}"))
}
