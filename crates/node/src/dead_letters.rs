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

    /// Dead letters that had to go for want of room, since the node started.
    #[must_use]
    pub fn dead_letters_dropped(&self) -> u64 {
        self.0.dead.lock().dropped()
    }

    /// Sends a dead letter to its actor again, and takes it out once it is queued there.
    ///
    /// # Errors
    /// If there is no such letter or actor, or the actor takes no messages; the letter stays then.
    pub async fn retry_dead_letter(&self, number: u64) -> Result<(), NodeError> {
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
