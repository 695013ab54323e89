//! Keys of actors: used under the node's master key, kept in the node's store, committed with the message that made them.
//!
//! [`perform`] is what an actor's turn calls for a `CryptoOp`. The rest is for operators: which master keys a store is in use
//! with ([`claim_now`]), sealing every record anew under another one ([`MasterKeys::reseal`]), and the keys of one actor
//! ([`MasterKeys::actor_keys`], [`MasterKeys::rotate_key`], [`MasterKeys::retire_key`]).

mod actor_keys;
mod claim;
mod error;
mod masters;
mod online;
mod reseal;

use std::sync::Arc;

use playhouse_crypto::{KeyOperation, KeyOutcome, KeyRecord, KeySlot, run_without_keys};
use playhouse_store::{Effects, KeyChange};
use playhouse_types::{ActorError, ActorId, Code, CryptoOp, ErrorKind, HostReply};

use crate::compute::Attended;
use crate::random;
use crate::shared::Shared;

pub use actor_keys::ActorKeys;
pub(crate) use claim::claim_now;
pub use error::KeyringError;
pub use masters::MasterKeys;
pub use reseal::{DamagedKey, RESEAL_DAMAGE_LISTED_MAX, Resealed};

/// Bytes from which on an operation is carried out by the threads for computing. Signing so much takes a quarter of a millisecond, a
/// quarter of what counts as a long poll; 1 MiB takes 3.4 ms, and hashing 16 MiB some tens. Handing over costs some microseconds.
const HEAVY_BYTES: usize = 64 << 10;

/// Whether an operation uses keys of the actor, so that it needs a store and a master key.
pub(crate) fn uses_keys(op: &CryptoOp) -> bool {
    !matches!(op, CryptoOp::Verify { .. } | CryptoOp::Hash { .. })
}

/// Carries out an operation that uses no keys.
pub(crate) async fn perform_without_keys(node: &Arc<Shared>, op: CryptoOp) -> Result<HostReply, ActorError> {
    match is_heavy(&op) {
        false => run_without_keys(&op),
        true => Attended::away(node, Box::pin(async move { run_without_keys(&op) })).await,
    }
}

/// Carries out an operation with the keys of an actor. Keys that it makes are among the effects: they are committed with the message or
/// dropped with it. Dropped half-way, it leaves the effects as they were.
pub(crate) async fn perform(
    node: &Arc<Shared>,
    actor: &ActorId,
    op: CryptoOp,
    effects: &mut Effects,
) -> Result<HostReply, ActorError> {
    let Some(masters) = &node.given.masters else { return Err(no_master_key(actor)) };
    let records = load(masters, actor, &op, effects).await?;
    let run = Run { masters: Arc::clone(masters), actor: actor.clone(), records, op };
    let (run, outcome) = match is_heavy(&run.op) {
        false => run.run(),
        true => Attended::away(node, Box::pin(async move { run.run() })).await,
    };
    let KeyOutcome { reply, written } = outcome?;
    if let Some(keeper) = &node.keeper
        && written.iter().any(|(slot, _)| run.record(slot).is_none())
    {
        claim::still(&*keeper.store, masters).await?;
    }
    for (slot, record) in written {
        let (name, blob) = (slot.store_name(), record.to_bytes().into());
        effects.change_key(match run.record(&slot) {
            Some(_) => KeyChange::Replace { name, blob },
            None => KeyChange::Create { name, blob },
        })?;
    }
    Ok(reply)
}

/// The records that an operation may need, under the node's current master key.
async fn load(
    masters: &MasterKeys,
    actor: &ActorId,
    op: &CryptoOp,
    effects: &Effects,
) -> Result<Vec<(KeySlot, KeyRecord)>, ActorError> {
    let mut records = Vec::new();
    for slot in KeySlot::of(op) {
        let Some(blob) = effects.sealed_key(&slot.store_name()).await? else { continue };
        let record = masters.current_record(&actor.into(), slot.name.as_str(), KeyRecord::parse(&blob)?)?;
        records.push((slot, record));
    }
    Ok(records)
}

/// An operation with everything that it needs, to be carried out on any thread.
struct Run {
    masters: Arc<MasterKeys>,
    actor: ActorId,
    records: Vec<(KeySlot, KeyRecord)>,
    op: CryptoOp,
}

impl Run {
    fn run(self) -> (Self, Result<KeyOutcome, ActorError>) {
        let vault = self.masters.vault(&(&self.actor).into());
        let record = |slot: &KeySlot| self.record(slot).cloned();
        let operation = KeyOperation { vault: &vault, record: &record, random: &mut random::fill };
        let outcome = operation.run(&self.op);
        (self, outcome)
    }

    fn record(&self, slot: &KeySlot) -> Option<&KeyRecord> {
        self.records.iter().find(|(found, _)| found == slot).map(|(_, record)| record)
    }
}

/// Whether an operation would keep other actors from the thread that it is carried out on.
fn is_heavy(op: &CryptoOp) -> bool {
    let bytes = match op {
        CryptoOp::Sign { message, .. }
        | CryptoOp::Verify { message, .. }
        | CryptoOp::Mac { message, .. }
        | CryptoOp::VerifyMac { message, .. } => message.len(),
        CryptoOp::Seal { plaintext, .. } => plaintext.len(),
        CryptoOp::Open { ciphertext, .. } => ciphertext.len(),
        CryptoOp::Hash { data, .. } => data.len(),
        CryptoOp::PublicKey { .. } | CryptoOp::Agree { .. } | CryptoOp::Derive { .. } => 0,
    };
    bytes > HEAVY_BYTES
}

fn no_master_key(actor: &ActorId) -> ActorError {
    let text = format!("the node of {actor} has no master key, under which it could seal keys");
    ActorError::coded(ErrorKind::Unavailable, Code::KeyMasterMissing, text)
}

#[cfg(test)]
mod tests;
