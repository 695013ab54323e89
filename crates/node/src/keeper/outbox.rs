//! What actors send: delivered after it was committed, again and again until it is taken, once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use playhouse_store::{
    ActorKey, BatchLimits, Bury, Delivers, Durability, Enqueue, OutId, OutPosted, QueueLimits, StoreError, Time,
};
use playhouse_types::{ActorError, Code};
use tokio::sync::oneshot;

use super::{Keeper, now, telling};
use crate::shared::Shared;
use crate::shell::Handed;

/// The target that stands for the application.
pub(crate) const SHELL: &str = "shell";
/// The first wait after a failed delivery; it doubles each time.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// The longest wait between two deliveries: an actor that comes back waits no longer for what it was sent.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long after a failure of the store the outbox is read again.
const READ_RETRY: Duration = Duration::from_secs(1);

/// The target that stands for an actor of this store.
pub(crate) fn target(actor: ActorKey) -> String {
    format!("actor/{actor}")
}

fn parse_target(target: &str) -> Option<ActorKey> {
    target.strip_prefix("actor/")?.parse().ok().map(ActorKey::from_number)
}

/// A message on its way.
enum Delivery {
    Actor(oneshot::Receiver<Result<(), ActorError>>),
    Store(playhouse_store::Receipt<playhouse_store::Accepted>),
    Known(Result<(), ActorError>),
}

/// One look at the whole outbox.
#[derive(Default)]
struct Round {
    /// When the next message is due.
    next: Option<Time>,
    /// The receivers of messages that were not taken: what is behind, and goes the same way, waits as well.
    stuck: HashSet<String>,
    /// The senders that were not here when the first message of theirs was looked at. If they have come meanwhile, what is behind it waits for
    /// the next look, too.
    away: HashSet<ActorKey>,
    /// What has to leave the outbox by itself. What entered a mailbox has left it already, what the application handles leaves it then.
    done: Vec<OutId>,
}

impl Round {
    fn look_again(&mut self, at: Time) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Gives a message to the application, unless it has it already: then it is in the outbox until it has been handled.
    async fn tell(&mut self, node: &Shared, keeper: &Arc<Keeper>, posted: &OutPosted) -> Result<(), StoreError> {
        if keeper.is_telling(posted.id) {
            return Ok(());
        }
        match telling::hand(node, keeper, posted) {
            Handed::Yes => Ok(()),
            Handed::Full => {
                // What the application handles rings, unless all that waits for it is not from here.
                self.look_again(now().after(READ_RETRY));
                self.stuck.insert(SHELL.to_owned());
                Ok(())
            }
            Handed::Refused(error) => self.settle(keeper, posted, Err(error)).await,
        }
    }

    /// What became of a message that was put on its way.
    async fn settle(
        &mut self,
        keeper: &Keeper,
        posted: &OutPosted,
        result: Result<(), ActorError>,
    ) -> Result<(), StoreError> {
        let Err(error) = result else { return Ok(()) };
        if !self.stuck.insert(posted.out.target.clone()) {
            // It was behind one that was not taken.
            return Ok(());
        }
        if is_hopeless(&error) {
            bury(keeper, posted, &error).await?;
            self.done.push(posted.id);
            self.look_again(now());
            return Ok(());
        }
        let wait = RETRY_FIRST.saturating_mul(1 << posted.attempts.min(16)).min(RETRY_MAX);
        let not_before = now().after(wait);
        self.look_again(not_before);
        keeper.store.outbox_failed(posted.id, not_before).await
    }
}

/// Delivers what is posted until the node ends.
pub(super) async fn deliver(shared: Weak<Shared>) {
    loop {
        let Some(node) = shared.upgrade() else { return };
        let Some(keeper) = node.keeper.clone().filter(|keeper| !keeper.is_closing()) else { return };
        let next = match deliver_all(&node, &keeper).await {
            Ok(next) => next,
            Err(error) if error.kind() == playhouse_types::ErrorKind::Unavailable && !error.is_refusal() => {
                tracing::warn!(%error, "what actors have sent cannot be delivered now");
                Some(now().after(READ_RETRY))
            }
            Err(_) => Some(now().after(READ_RETRY)),
        };
        drop(node);
        match next {
            None => keeper.posted.notified().await,
            Some(next) => {
                // The clock may be set back meanwhile.
                let wait = Duration::from_millis(next.millis().saturating_sub(now().millis())).min(RETRY_MAX);
                let _ = tokio::time::timeout(wait, keeper.posted.notified()).await;
            }
        }
    }
}

/// Delivers all that is due of the actors that run here. When the next is due.
async fn deliver_all(node: &Arc<Shared>, keeper: &Arc<Keeper>) -> Result<Option<Time>, StoreError> {
    let mut round = Round::default();
    let mut after = OutId::default();
    loop {
        keeper.forget_told().await?;
        let batch = keeper.store.outbox(after, BatchLimits::default()).await?;
        let Some(last) = batch.last() else { return Ok(round.next) };
        after = last.id;
        let mut under_way = Vec::new();
        // The last one that is on its way, by receiver.
        let mut ahead = HashMap::new();
        for posted in batch {
            if round.away.contains(&posted.actor) || round.stuck.contains(&posted.out.target) {
                continue;
            }
            if keeper.cell(posted.actor).is_none() {
                round.away.insert(posted.actor);
                continue;
            }
            if is_early(posted.out.not_before) {
                round.look_again(posted.out.not_before);
                round.stuck.insert(posted.out.target);
                continue;
            }
            if posted.out.target == SHELL {
                round.tell(node, keeper, &posted).await?;
                continue;
            }
            let behind = ahead.insert(posted.out.target.clone(), posted.id);
            let delivery = send(keeper, &posted, behind);
            under_way.push((posted, delivery));
        }
        for (posted, delivery) in under_way {
            let arrived = arrive(delivery).await;
            round.settle(keeper, &posted, arrived).await?;
        }
        if !round.done.is_empty() {
            keeper.store.outbox_done(std::mem::take(&mut round.done)).await?;
        }
    }
}

/// Whether the time of a message has not come. None is put off for longer than this: a clock was ahead then, and is right now.
fn is_early(not_before: Time) -> bool {
    not_before > now() && not_before <= now().after(RETRY_MAX)
}

/// Puts a message on its way to an actor. What follows for the same receiver may be put on its way at once, behind it.
fn send(keeper: &Arc<Keeper>, posted: &OutPosted, behind: Option<OutId>) -> Delivery {
    let Some(actor) = parse_target(&posted.out.target) else {
        let text = format!("{:?} is nobody", posted.out.target);
        return Delivery::Known(Err(ActorError::coded(playhouse_types::ErrorKind::NotFound, Code::UnknownActor, text)));
    };
    let (message, delivers) = (posted.out.message.clone(), Delivers { id: posted.id, behind });
    if let Some(cell) = keeper.cell(actor) {
        return Delivery::Actor(cell.deliver(message, delivers));
    }
    // Nobody opens it here between the look and the write.
    let open = keeper.open.read();
    if open.contains_key(&actor) {
        drop(open);
        return match keeper.cell(actor) {
            Some(cell) => Delivery::Actor(cell.deliver(message, delivers)),
            None => Delivery::Known(Err(StoreError::Closed.into())),
        };
    }
    let (durability, limits, delivers) = (Durability::Memory, QueueLimits::default(), Some(delivers));
    Delivery::Store(keeper.store.enqueue(Enqueue { to: actor, message, now: now(), limits, durability, delivers }))
}

async fn arrive(delivery: Delivery) -> Result<(), ActorError> {
    match delivery {
        Delivery::Known(result) => result,
        Delivery::Actor(told) => told.await.unwrap_or_else(|_| Err(StoreError::Closed.into())),
        Delivery::Store(receipt) => receipt.await.map(drop).map_err(ActorError::from),
    }
}

/// Whether another try would end the same way.
fn is_hopeless(error: &ActorError) -> bool {
    matches!(error.code(), Code::UnknownActor | Code::StoreLimit | Code::ShellMissing)
}

/// Keeps what cannot be delivered among the dead letters of its sender.
async fn bury(keeper: &Keeper, posted: &OutPosted, error: &ActorError) -> Result<(), StoreError> {
    let cause = format!("not delivered to {}: {}", posted.out.target, error.to_text());
    let (actor, attempts, message) = (posted.actor, posted.attempts + 1, posted.out.message.clone());
    keeper.store.bury(Bury { actor, now: now(), cause, attempts, message }).await.map(drop)
}
