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

    /// Takes a dead letter out and sends it to its actor again.
    ///
    /// # Errors
    /// If there is no such letter or actor, or the actor takes no messages; the letter stays then.
    pub async fn retry_dead_letter(&self, number: u64) -> Result<(), NodeError> {
        let (_, letter) = self.take_dead_letter(number)?;
        let Buried { to, letter: sent, .. } = &letter.message;
        let options = CallOptions::default();
        let told = match self.0.find(to) {
            Ok(cell) => {
                let mut request = request(sent.route.clone(), sent.payload.clone(), options);
                request.caller.clone_from(&sent.from);
                cell.tell(request).await
            }
            Err(error) => Err(error),
        };
        if let Err(source) = told {
            let actor_type = to.actor_type().clone();
            self.0.dead.lock().push(letter);
            return Err(NodeError::Start { actor_type, source });
        }
        Ok(())
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    /// If there is no such letter.
    pub fn drop_dead_letter(&self, number: u64) -> Result<DeadLetter, NodeError> {
        self.take_dead_letter(number).map(|(id, letter)| show(id, &letter))
    }

    fn take_dead_letter(&self, number: u64) -> Result<(DeadLetterId, Kept<Buried>), NodeError> {
        let id = DeadLetterId::from_number(number);
        let letter = self.0.dead.lock().take(id);
        letter.map(|letter| (id, letter)).ok_or(NodeError::NoDeadLetter { number })
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
