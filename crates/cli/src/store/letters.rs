//! Dead letters in a store that no node has open.

use playhouse_store::{BatchLimits, Letter, LetterId, QueueLimits, Store, StoreError};
use playhouse_types::{Code, ErrorKind};

use super::edit::failed;
use super::inspect::now;
use crate::control::protocol::{DeadLetterInfo, Payload, WholeDeadLetter};
use crate::error::{CliError, Result};

/// Letters that are read at a time.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 1 << 20 };

/// Hands all letters to `take`, the oldest first.
pub(crate) fn each(store: &dyn Store, mut take: impl FnMut(WholeDeadLetter) -> Result<()>) -> Result<()> {
    let mut after = LetterId::default();
    loop {
        let page = store.letters(after, BATCH).wait().map_err(failed)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for letter in page {
            take(whole(store, letter)?)?;
        }
    }
}

/// One letter.
pub(crate) fn show(store: &dyn Store, id: u64) -> Result<WholeDeadLetter> {
    let letter = store.letter(LetterId::from_number(id)).wait().map_err(failed)?;
    whole(store, letter.ok_or_else(|| absent(id))?)
}

/// Puts a letter back into the mailbox of its actor.
pub(crate) fn retry(store: &dyn Store, id: u64) -> Result<()> {
    match store.retry_letter(LetterId::from_number(id), now(), QueueLimits::default()).wait() {
        Ok(_) => Ok(()),
        Err(StoreError::NotFound { .. }) => Err(absent(id)),
        Err(error) => Err(failed(error)),
    }
}

/// Forgets a letter.
pub(crate) fn forget(store: &dyn Store, id: u64) -> Result<()> {
    let there = store.drop_letter(LetterId::from_number(id)).wait().map_err(failed)?;
    if there { Ok(()) } else { Err(absent(id)) }
}

fn whole(store: &dyn Store, letter: Letter) -> Result<WholeDeadLetter> {
    let actor = store.actor(letter.actor).wait().map_err(failed)?;
    let info = DeadLetterInfo {
        id: letter.id.number(),
        time_ms: letter.at.millis(),
        actor: actor.map_or_else(|| format!("actor {}", letter.actor), |actor| actor.identity.to_string()),
        route: letter.message.route,
        caller: Some(letter.message.caller).filter(|caller| !caller.is_empty()),
        attempts: letter.attempts,
        error: letter.cause,
        bytes: letter.message.payload.len() as u64,
    };
    Ok(WholeDeadLetter { info, payload: Payload(letter.message.payload) })
}

/// There is no letter of that number.
pub(crate) fn absent(id: u64) -> CliError {
    CliError::new(Code::NotStored, ErrorKind::NotFound, format!("there is no dead letter {id}"))
        .fix("`playhouse dlq list` lists them; the oldest make room for new ones.")
}
