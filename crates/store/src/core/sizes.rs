//! What must be true of a write whatever is stored: lengths, and names that are not empty.

use playhouse_types::limits::{MESSAGE_BYTES_MAX, REQUEST_ID_BYTES_MAX, ROUTE_BYTES_MAX};

use crate::error::StoreError;
use crate::limits;
use crate::model::{Commit, Enqueue, Identity, KeyChange, Message, OutMessage, RequestKey, StateChange, TimerChange};

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), StoreError> {
    if found <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, found: found as u64, limit: limit as u64 })
}

fn named(what: &'static str, length: usize, limit: usize) -> Result<(), StoreError> {
    if length == 0 {
        return Err(StoreError::Malformed { what, rule: "is empty" });
    }
    at_most(what, length, limit)
}

pub(crate) fn check_identity(identity: &Identity) -> Result<(), StoreError> {
    named("bytes of the instance name", identity.instance.len(), limits::INSTANCE_BYTES_MAX)
}

pub(crate) fn check_owner(owner: &str) -> Result<(), StoreError> {
    named("bytes of the owner", owner.len(), limits::OWNER_BYTES_MAX)
}

pub(crate) fn check_message(message: &Message) -> Result<(), StoreError> {
    at_most("bytes of the caller", message.caller.len(), limits::CALLER_BYTES_MAX)?;
    if let Some(request) = &message.request {
        named("bytes of the request id", request.len(), REQUEST_ID_BYTES_MAX)?;
    }
    at_most("bytes of the route", message.route.len(), ROUTE_BYTES_MAX)?;
    at_most("bytes of the payload", message.payload.len(), MESSAGE_BYTES_MAX)?;
    at_most("bytes of the context", message.context.len(), limits::CONTEXT_BYTES_MAX)
}

pub(crate) fn check_enqueue(enqueue: &Enqueue) -> Result<(), StoreError> {
    check_message(&enqueue.message)?;
    if enqueue.delivers.is_some() && enqueue.message.request.is_some() {
        return Err(StoreError::Malformed { what: "a message of the outbox", rule: "has a request id" });
    }
    Ok(())
}

pub(crate) fn check_request(request: &RequestKey) -> Result<(), StoreError> {
    at_most("bytes of the caller", request.caller.len(), limits::CALLER_BYTES_MAX)?;
    named("bytes of the request id", request.request.len(), REQUEST_ID_BYTES_MAX)
}

pub(crate) fn check_outbox_done(ids: usize) -> Result<(), StoreError> {
    at_most("messages of the outbox that are done", ids, limits::BATCH_ITEMS_MAX)
}

pub(crate) fn check_note(name: &str, value: usize) -> Result<(), StoreError> {
    named("bytes of the note's name", name.len(), limits::NOTE_NAME_BYTES_MAX)?;
    at_most("bytes of the note", value, limits::NOTE_BYTES_MAX)
}

pub(crate) fn check_sealed(name: &str, blob: usize) -> Result<(), StoreError> {
    named("bytes of the key's name", name.len(), limits::SEALED_KEY_NAME_BYTES_MAX)?;
    at_most("bytes of the sealed key", blob, limits::SEALED_KEY_BYTES_MAX)
}

pub(crate) fn check_commit(commit: &Commit) -> Result<(), StoreError> {
    let changes =
        commit.consumed.len() + commit.state.len() + commit.outbox.len() + commit.timers.len() + commit.keys.len();
    at_most("changes of the commit", changes, limits::COMMIT_CHANGES_MAX)?;
    let bytes = commit_bytes(commit);
    if bytes > limits::COMMIT_BYTES_MAX {
        return Err(StoreError::TooLarge {
            what: "bytes of the commit",
            found: bytes,
            limit: limits::COMMIT_BYTES_MAX,
        });
    }
    commit.state.iter().try_for_each(check_state)?;
    commit.outbox.iter().try_for_each(check_out)?;
    commit.timers.iter().try_for_each(check_timer)?;
    commit.keys.iter().try_for_each(check_key)?;
    if let Some(reply) = &commit.reply {
        check_request(&reply.request)?;
        // A node keeps with it in one byte whether it is a reply or an error.
        at_most("bytes of the reply", reply.reply.len(), MESSAGE_BYTES_MAX + 1)?;
    }
    check_once(commit)
}

pub(crate) fn check_state(change: &StateChange) -> Result<(), StoreError> {
    named("bytes of the state key", change.key.len(), limits::STATE_KEY_BYTES_MAX)?;
    at_most(
        "bytes of the state value",
        change.value.as_ref().map_or(0, bytes::Bytes::len),
        limits::STATE_VALUE_BYTES_MAX,
    )
}

pub(crate) fn check_out(out: &OutMessage) -> Result<(), StoreError> {
    named("bytes of the target", out.target.len(), limits::TARGET_BYTES_MAX)?;
    check_message(&out.message)
}

pub(crate) fn check_timer(change: &TimerChange) -> Result<(), StoreError> {
    let (name, body) = match change {
        TimerChange::Set { name, body, .. } => (name, body.len()),
        TimerChange::Cancel { name } => (name, 0),
    };
    named("bytes of the timer's name", name.len(), limits::TIMER_NAME_BYTES_MAX)?;
    at_most("bytes of the timer's body", body, limits::TIMER_BODY_BYTES_MAX)
}

pub(crate) fn check_key(change: &KeyChange) -> Result<(), StoreError> {
    let blob = match change {
        KeyChange::Create { blob, .. } | KeyChange::Replace { blob, .. } => blob.len(),
        KeyChange::Delete { .. } => 0,
    };
    check_sealed(change.name(), blob)
}

/// What is named twice would have to be checked against what the same commit does.
fn check_once(commit: &Commit) -> Result<(), StoreError> {
    let timer_name = |change: &TimerChange| match change {
        TimerChange::Set { name, .. } | TimerChange::Cancel { name } => name.clone(),
    };
    once("the state", commit.state.iter().map(|change| &change.key))?;
    once("the timers", commit.timers.iter().map(timer_name))?;
    once("the keys", commit.keys.iter().map(KeyChange::name))?;
    once("what is consumed", commit.consumed.iter().map(super::plan::consumed_name))
}

fn once<T: Ord>(what: &'static str, names: impl ExactSizeIterator<Item = T>) -> Result<(), StoreError> {
    if names.len() < 2 {
        return Ok(());
    }
    let mut sorted: Vec<T> = names.collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(StoreError::Malformed { what, rule: "names something twice" });
    }
    Ok(())
}

pub(super) fn commit_bytes(commit: &Commit) -> u64 {
    let state = commit.state.iter().map(|change| change.key.len() + change.value.as_ref().map_or(0, bytes::Bytes::len));
    let outbox = commit.outbox.iter().map(|out| out.target.len() as u64 + out.message.bytes());
    let timers = commit.timers.iter().map(|change| match change {
        TimerChange::Set { name, body, .. } => name.len() + body.len(),
        TimerChange::Cancel { name } => name.len(),
    });
    let keys = commit.keys.len() * limits::SEALED_KEY_BYTES_MAX;
    let replies = commit.consumed.iter().map(super::plan::reply_of).map(|reply| reply.map_or(0, bytes::Bytes::len));
    let reply = commit.reply.as_ref().map_or(0, |reply| reply.reply.len());
    outbox.sum::<u64>() + (state.sum::<usize>() + timers.sum::<usize>() + keys + replies.sum::<usize>() + reply) as u64
}
