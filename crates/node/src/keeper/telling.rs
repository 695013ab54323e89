//! Tells of actors to the application, from the outbox until it has handled them.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use playhouse_store::{OutId, OutPosted, Receipt, StoreError};
use playhouse_types::{ActorError, Code, ErrorKind, ParseError};

use super::Keeper;
use crate::shared::Shared;
use crate::shell::{Handed, ShellMessage, TELLS_MAX};

/// The tells that the application has been given. They stay in the outbox until it has handled them, so that none is lost with the process.
#[derive(Debug, Default)]
pub(super) struct Telling(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    /// Those that a pass over the outbox may still find there.
    given: HashSet<OutId>,
    /// Those of them that have been handled, and leave the outbox.
    handled: Vec<(OutId, Receipt<()>)>,
    /// Whether others found no room.
    full: bool,
}

impl Keeper {
    /// A message of the outbox is given to the application.
    pub(crate) fn tell(&self, id: OutId) {
        self.telling.0.lock().given.insert(id);
    }

    /// It was not, for want of room.
    pub(crate) fn not_told(&self, id: OutId) {
        let mut hands = self.telling.0.lock();
        hands.given.remove(&id);
        hands.full = true;
    }

    /// It has been handled.
    pub(crate) fn told(&self, id: OutId) {
        let forgotten = self.store.outbox_done(vec![id]);
        self.telling.0.lock().handled.push((id, forgotten));
    }

    /// There is room for others: for half of the bytes that may wait.
    pub(crate) fn tell_more(&self) {
        let mut hands = self.telling.0.lock();
        // Not for each: the outbox is read from its beginning.
        if hands.full && (hands.given.len() - hands.handled.len()) * 2 <= TELLS_MAX {
            hands.full = false;
            drop(hands);
            self.look_anew();
        }
    }

    pub(super) fn is_telling(&self, id: OutId) -> bool {
        self.telling.0.lock().given.contains(&id)
    }

    /// Waits until what has been handled has left the outbox. A pass over the outbox begins with it, and nobody else makes one: what it finds
    /// and does not know has not been told.
    pub(super) async fn forget_told(&self) -> Result<(), StoreError> {
        let handled = std::mem::take(&mut self.telling.0.lock().handled);
        let mut forgotten = Ok(());
        for (id, receipt) in handled {
            let result = receipt.await;
            let mut hands = self.telling.0.lock();
            match result {
                Ok(()) => drop(hands.given.remove(&id)),
                Err(error) => {
                    hands.handled.push((id, self.store.outbox_done(vec![id])));
                    forgotten = Err(error);
                }
            }
        }
        forgotten
    }
}

/// Gives a message of the outbox to the application.
pub(super) fn hand(node: &Shared, keeper: &Arc<Keeper>, posted: &OutPosted) -> Handed {
    let message = &posted.out.message;
    let parsed = || -> Result<_, ParseError> { Ok((message.caller.parse()?, message.route.parse()?)) };
    let (from, route) = match parsed() {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = ActorError::coded(ErrorKind::InvalidArgument, Code::StoreLimit, error.to_string());
            return Handed::Refused(error);
        }
    };
    let id = Some(posted.id.number());
    let told = ShellMessage { from, route, payload: message.payload.clone(), awaited: false, id };
    node.shell.hand(told, keeper, posted.id)
}
