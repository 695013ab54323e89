//! What a node does about messages that could not be handled.

use playhouse_scheduler::{DeadLetter as Kept, DeadLetterId};

use crate::actor_ref::request;
use crate::error::NodeError;
use crate::node::Node;
use crate::options::CallOptions;
use crate::shared::Buried;
use crate::status::DeadLetter;

impl Node {
    /// Messages that could not be handled, the oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.0.dead.lock().list().map(|(id, letter)| show(id, letter)).collect()
    }

    /// Sends a dead letter to its actor again, and takes it out once it is queued there.
    ///
    /// # Errors
    /// If there is no such letter or actor, or the actor takes no messages; the letter stays then.
    pub async fn retry_dead_letter(&self, number: u64) -> Result<(), NodeError> {
        let id = DeadLetterId::from_number(number);
        let found = self.0.dead.lock().get(id).map(|letter| (letter.message.to.clone(), letter.message.letter.clone()));
        let (to, sent) = found.ok_or(NodeError::NoDeadLetter { number })?;
        let mut request = request(sent.route, sent.payload, CallOptions::default());
        request.caller = sent.from;
        let told = match self.0.find(&to) {
            Ok(cell) => cell.tell(request).await,
            Err(error) => Err(error),
        };
        told.map_err(|source| NodeError::Retry { number, source })?;
        self.0.dead.lock().take(id);
        Ok(())
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    /// If there is no such letter.
    pub fn drop_dead_letter(&self, number: u64) -> Result<DeadLetter, NodeError> {
        let id = DeadLetterId::from_number(number);
        let letter = self.0.dead.lock().take(id);
        letter.map(|letter| show(id, &letter)).ok_or(NodeError::NoDeadLetter { number })
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
