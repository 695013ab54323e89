use std::collections::BTreeSet;
use std::sync::Weak;
use std::time::Duration;

use playhouse_store::{ActorKey, Time};
use tokio::sync::Notify;

use super::Keeper;
use crate::clock::now;

/// How long a timer waits whose message did not fit the mailbox of its actor.
const LATER: Duration = Duration::from_millis(100);
/// How long the task sleeps at most: the time of day may be set, and then timers are due by the new one.
const NAP_MAX: Duration = Duration::from_secs(1);

/// The timers of all actors that the node has opened.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// Some of them may have been changed since: the actor knows.
    due: parking_lot::Mutex<BTreeSet<(Time, ActorKey, String)>>,
    /// Rings when the first one has changed.
    changed: Notify,
}

impl Keeper {
    /// Has a timer of an actor ring at that time.
    pub(crate) fn arm(&self, due: Time, actor: ActorKey, name: String) {
        let mut all = self.alarms.due.lock();
        let first = all.first().is_none_or(|(first, ..)| due < *first);
        all.insert((due, actor, name));
        drop(all);
        if first {
            self.alarms.changed.notify_one();
        }
    }

    /// Has a timer that was cancelled or set anew not ring at its former time.
    pub(crate) fn disarm(&self, due: Time, actor: ActorKey, name: String) {
        self.alarms.due.lock().remove(&(due, actor, name));
    }

    /// Has a timer ring again a little later.
    pub(crate) fn arm_later(&self, actor: ActorKey, name: String) {
        self.arm(now().after(LATER), actor, name);
    }

    /// Lets all ring that are due. When the next one is.
    fn ring(&self) -> Option<Time> {
        loop {
            let (actor, name) = {
                let mut all = self.alarms.due.lock();
                let (due, ..) = all.first()?;
                if *due > now() {
                    return Some(*due);
                }
                let (_, actor, name) = all.pop_first()?;
                (actor, name)
            };
            if let Some(cell) = self.cell(actor) {
                cell.ring(&name);
            }
        }
    }

    pub(super) fn wake_alarms(&self) {
        self.alarms.changed.notify_one();
    }
}

/// Lets timers ring until the node ends.
pub(super) async fn watch(keeper: Weak<Keeper>) {
    loop {
        let Some(keeper) = keeper.upgrade().filter(|keeper| !keeper.is_closing()) else { return };
        let next = keeper.ring();
        let wait = next
            .map_or(NAP_MAX, |next| Duration::from_millis(next.millis().saturating_sub(now().millis())).min(NAP_MAX));
        // An idle node need not keep looking.
        match next {
            None => keeper.alarms.changed.notified().await,
            Some(_) => {
                let _ = tokio::time::timeout(wait, keeper.alarms.changed.notified()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
