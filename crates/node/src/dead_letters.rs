//! What a node does about messages that could not be handled. On a node with a store they are the store's.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use playhouse_scheduler::{DeadLetter as Kept, DeadLetterId};
use playhouse_store::{ActorInfo, ActorKey, BatchLimits, Letter, LetterId, Position, QueueLimits, Receipt, StoreError};
use playhouse_types::{ActorError, ActorId, ActorType, ParseError, Version};

use crate::actor_ref::request;
use crate::clock::now;
use crate::error::NodeError;
use crate::keeper::Keeper;
use crate::node::Node;
use crate::options::CallOptions;
use crate::shared::Buried;
use crate::status::DeadLetter;

/// The version that stands for one that is not known: the store keeps actors, whatever version runs them.
const ANY_VERSION: &str = "*";

impl Node {
    /// Messages that could not be handled, the oldest first. Those that came from a timer or an outbox are among them.
    ///
    /// # Errors
    /// If the node's store cannot be read.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, NodeError> {
        let Some(keeper) = &self.0.keeper else {
            return Ok(self.0.dead.lock().list().map(|(id, letter)| show(id, letter)).collect());
        };
        let mut all = Vec::new();
        let mut after = LetterId::default();
        loop {
            let batch = keeper.store.letters(after, BatchLimits::default()).await.map_err(NodeError::Store)?;
            let Some(last) = batch.last() else { return Ok(all) };
            after = last.id;
            for letter in batch {
                all.extend(self.show_stored(keeper, letter).await?);
            }
        }
    }

    /// Dead letters that had to go for want of room: since the node started, or since its store was made.
    ///
    /// # Errors
    /// If the node's store cannot be read.
    pub async fn dead_letters_dropped(&self) -> Result<u64, NodeError> {
        match &self.0.keeper {
            None => Ok(self.0.dead.lock().dropped()),
            Some(keeper) => Ok(keeper.store.stats().await.map_err(NodeError::Store)?.letters_dropped),
        }
    }

    /// Sends a dead letter to its actor again, and takes it out once it is queued there. On a node with a store the actor need not run.
    ///
    /// # Errors
    /// If there is no such letter or actor, or the actor takes no messages; the letter stays then.
    pub async fn retry_dead_letter(&self, number: u64) -> Result<(), NodeError> {
        match &self.0.keeper {
            Some(keeper) => self.retry_stored(keeper, number).await,
            None => self.retry_kept(number).await,
        }
    }

    async fn retry_kept(&self, number: u64) -> Result<(), NodeError> {
        let id = DeadLetterId::from_number(number);
        let letter = self.0.dead.lock().take(id).ok_or(NodeError::NoDeadLetter { number })?;
        let (to, sent) = (letter.message.to.clone(), letter.message.letter.clone());
        let mut retrying = Retrying { node: self, id, letter: Some(letter) };
        let mut request = request(sent.route, sent.payload, CallOptions::default());
        request.caller = sent.from;
        let told = match self.0.find(&to) {
            Ok(cell) => cell.tell(request).await,
            Err(error) => Err(error),
        };
        told.map_err(|source| NodeError::Retry { number, source })?;
        retrying.letter = None;
        Ok(())
    }

    async fn retry_stored(&self, keeper: &Arc<Keeper>, number: u64) -> Result<(), NodeError> {
        let id = LetterId::from_number(number);
        let letter = keeper.store.letter(id).await.map_err(NodeError::Store)?;
        let actor = letter.ok_or(NodeError::NoDeadLetter { number })?.actor;
        let limits = keeper.cell(actor).map_or_else(QueueLimits::default, |cell| cell.stored_limits());
        let retrying = retry_letter(Arc::clone(keeper), actor, keeper.store.retry_letter(id, now(), limits));
        // A task, so that the actor looks for it even if nobody waits here.
        let retried = self.0.runtime.spawn(retrying).await.map_err(|_| NodeError::Stopping)?;
        retried.map_err(|error| match error {
            StoreError::NotFound { .. } => NodeError::NoDeadLetter { number },
            error => NodeError::Retry { number, source: error.into() },
        })
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    /// If there is no such letter, or the node's store fails.
    pub async fn drop_dead_letter(&self, number: u64) -> Result<DeadLetter, NodeError> {
        let Some(keeper) = &self.0.keeper else {
            let id = DeadLetterId::from_number(number);
            let letter = self.0.dead.lock().take(id);
            return letter.map(|letter| show(id, &letter)).ok_or(NodeError::NoDeadLetter { number });
        };
        let id = LetterId::from_number(number);
        let letter = keeper.store.letter(id).await.map_err(NodeError::Store)?;
        let letter = letter.ok_or(NodeError::NoDeadLetter { number })?;
        let shown = self.show_stored(keeper, letter).await?.ok_or(NodeError::NoDeadLetter { number })?;
        match keeper.store.drop_letter(id).await.map_err(NodeError::Store)? {
            true => Ok(shown),
            false => Err(NodeError::NoDeadLetter { number }),
        }
    }

    /// A letter of the store; none if it is not one that a node wrote.
    async fn show_stored(&self, keeper: &Keeper, letter: Letter) -> Result<Option<DeadLetter>, NodeError> {
        let to = match keeper.cell(letter.actor) {
            Some(cell) => Some(cell.id().clone()),
            None => self.stored_id(keeper, letter.actor).await?,
        };
        Ok(to.and_then(|to| show_letter(to, letter).ok()))
    }

    /// The id of an actor that does not run here.
    async fn stored_id(&self, keeper: &Keeper, actor: ActorKey) -> Result<Option<ActorId>, NodeError> {
        let info = keeper.store.actor(actor).await.map_err(NodeError::Store)?;
        Ok(info.and_then(|ActorInfo { identity, lease, .. }| {
            let version: Version = ANY_VERSION.parse().ok()?;
            let actor_type = ActorType::new(identity.manufacturer, identity.type_name, version);
            Some(ActorId::new(identity.realm, lease.serial, actor_type))
        }))
    }
}

fn show_letter(to: ActorId, letter: Letter) -> Result<DeadLetter, ParseError> {
    let Letter { id, at, cause, attempts, message, .. } = letter;
    Ok(DeadLetter {
        number: id.number(),
        time: UNIX_EPOCH + Duration::from_millis(at.millis()),
        to,
        from: if message.caller.is_empty() { None } else { Some(message.caller.parse()?) },
        route: message.route.parse()?,
        payload: message.payload,
        attempts,
        cause: ActorError::from_text(&cause),
    })
}

/// A letter that is on its way to its actor, so that nobody else sends it as well. It comes back unless it is taken there.
struct Retrying<'a> {
    node: &'a Node,
    id: DeadLetterId,
    letter: Option<Kept<Buried>>,
}

impl Drop for Retrying<'_> {
    fn drop(&mut self) {
        if let Some(letter) = self.letter.take() {
            self.node.0.dead.lock().put_back(self.id, letter);
        }
    }
}

fn show(id: DeadLetterId, letter: &Kept<Buried>) -> DeadLetter {
    let Buried { to, letter: sent, time } = &letter.message;
    DeadLetter {
        number: id.number(),
        time: *time,
        to: to.clone(),
        from: sent.from.clone(),
        route: sent.route.clone(),
        payload: sent.payload.clone(),
        attempts: sent.attempts,
        cause: letter.cause.clone(),
    }
}

/// Waits until a letter is in the mailbox of its actor, and has that look for it.
async fn retry_letter(keeper: Arc<Keeper>, actor: ActorKey, retried: Receipt<Position>) -> Result<(), StoreError> {
    let retried = retried.await;
    // Only now: one that was opened meanwhile may have looked before the letter was there. Also if nobody knows whether it is.
    if retried.as_ref().err().is_none_or(|error| !error.is_refusal())
        && let Some(cell) = keeper.cell(actor)
    {
        cell.look_again();
    }
    retried.map(drop)
}
