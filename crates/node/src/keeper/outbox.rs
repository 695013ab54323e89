//! What actors send: delivered after it was committed, again and again until it is taken, once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use playhouse_store::{
    ActorKey, BatchLimits, Bury, Delivers, Durability, Enqueue, OutId, OutPosted, QueueLimits, StoreError, Time,
};
use playhouse_types::{ActorError, Code};
use tokio::sync::oneshot;

use super::{Keeper, telling};
use crate::clock::now;
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

/// One look at the whole outbox, which goes on with what is posted meanwhile until it is time for another one: what has to wait is not read
/// again with each message of somebody else.
#[derive(Default)]
struct Round {
    /// Up to where it has looked. What is posted comes behind.
    seen: OutId,
    /// When to look at the whole outbox again, by a clock that nobody sets.
    next: Option<Instant>,
    /// The receivers of messages that were not taken: what is behind, and goes the same way, waits as well.
    stuck: HashSet<String>,
    /// The senders that were not here when the first message of theirs was looked at. If they have come meanwhile, what is behind it waits for
    /// the next look, too: whoever comes asks for one.
    away: HashSet<ActorKey>,
    /// The actors that ran here before. What they have sent goes on from here as long as nobody runs them.
    left: HashSet<ActorKey>,
    /// Those of them of which something was in the outbox.
    remembered: HashSet<ActorKey>,
    /// The senders of this batch that are here, or ran here and are nobody's now.
    ours: HashSet<ActorKey>,
    /// What has to leave the outbox by itself. What entered a mailbox has left it already, what the application handles leaves it then.
    done: Vec<OutId>,
}

impl Round {
    /// A look at everything, also at what these have left there.
    fn new(left: HashSet<ActorKey>) -> Self {
        Self { left, ..Self::default() }
    }

    fn look_again(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn is_over(&self) -> bool {
        self.next.is_some_and(|next| next <= Instant::now())
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
                self.look_again(READ_RETRY);
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
            self.look_again(Duration::ZERO);
            return Ok(());
        }
        let wait = RETRY_FIRST.saturating_mul(1 << posted.attempts.min(16)).min(RETRY_MAX);
        self.look_again(wait);
        keeper.store.outbox_failed(posted.id, now().after(wait)).await
    }
}

/// Delivers what is posted until the node ends.
pub(super) async fn deliver(shared: Weak<Shared>) {
    let mut round = Round::default();
    let mut fails = false;
    loop {
        let Some(node) = shared.upgrade() else { return };
        let Some(keeper) = node.keeper.clone().filter(|keeper| !keeper.is_closing()) else { return };
        if keeper.look_anew.swap(false, Ordering::AcqRel) || round.is_over() {
            let mut left = keeper.take_left();
            left.extend(round.remembered);
            round = Round::new(left);
        }
        let delivered = round.go_on(&node, &keeper).await;
        if let Err(error) = &delivered {
            // Whoever closed the store knows.
            if !fails && *error != StoreError::Closed {
                tracing::warn!(%error, "what actors have sent cannot be delivered now");
            }
            round = Round::new(round.left);
            // It has not seen all of them.
            round.remembered.clone_from(&round.left);
            round.look_again(READ_RETRY);
        }
        fails = delivered.is_err();
        drop(node);
        match round.next {
            None => keeper.posted.notified().await,
            Some(next) => {
                let _ = tokio::time::timeout_at(next.into(), keeper.posted.notified()).await;
            }
        }
    }
}

impl Round {
    /// Delivers all that is due of the actors that run here, from where it has not looked yet.
    async fn go_on(&mut self, node: &Arc<Shared>, keeper: &Arc<Keeper>) -> Result<(), StoreError> {
        loop {
            keeper.forget_told().await?;
            let batch = keeper.store.outbox(self.seen, BatchLimits::default()).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            self.seen = last.id;
            self.deliver(node, keeper, batch).await?;
            // A store on this machine answers at once: a long outbox would keep the worker for itself.
            tokio::task::yield_now().await;
        }
    }

    async fn deliver(
        &mut self,
        node: &Arc<Shared>,
        keeper: &Arc<Keeper>,
        batch: Vec<OutPosted>,
    ) -> Result<(), StoreError> {
        let mut under_way = Vec::new();
        // The last one that is on its way, by receiver.
        let mut ahead = HashMap::new();
        self.ours.clear();
        for posted in batch {
            if self.has_to_wait(&posted) || !self.is_ours(keeper, posted.actor).await? || self.is_early(&posted) {
                continue;
            }
            if posted.out.target == SHELL {
                self.tell(node, keeper, &posted).await?;
                continue;
            }
            let behind = ahead.insert(posted.out.target.clone(), posted.id);
            let delivery = send(keeper, &posted, behind);
            under_way.push((posted, delivery));
        }
        for (posted, delivery) in under_way {
            let arrived = arrive(delivery).await;
            self.settle(keeper, &posted, arrived).await?;
        }
        match self.done.is_empty() {
            true => Ok(()),
            false => keeper.store.outbox_done(std::mem::take(&mut self.done)).await,
        }
    }

    /// Whether something before a message has to wait, and so this one, too.
    fn has_to_wait(&self, posted: &OutPosted) -> bool {
        self.away.contains(&posted.actor) || self.stuck.contains(&posted.out.target)
    }

    /// Whether what an actor has sent goes on from here.
    async fn is_ours(&mut self, keeper: &Keeper, actor: ActorKey) -> Result<bool, StoreError> {
        if self.ours.contains(&actor) {
            return Ok(true);
        }
        let ours = keeper.cell(actor).is_some() || (self.left.contains(&actor) && self.is_free(keeper, actor).await?);
        match ours {
            true => self.ours.insert(actor),
            false => self.away.insert(actor),
        };
        Ok(ours)
    }

    /// Whether nobody runs an actor that has left.
    async fn is_free(&mut self, keeper: &Keeper, actor: ActorKey) -> Result<bool, StoreError> {
        self.remembered.insert(actor);
        let found = keeper.store.actor(actor).await?;
        Ok(found.is_some_and(|found| found.lease.until == Time::default()))
    }

    /// Whether the time of a message has not come.
    fn is_early(&mut self, posted: &OutPosted) -> bool {
        let Some(wait) = left(posted.out.not_before) else { return false };
        self.look_again(wait);
        self.stuck.insert(posted.out.target.clone());
        true
    }
}

/// How long a message still has to wait. None is put off for longer than this: a clock was ahead then, and is right now.
fn left(not_before: Time) -> Option<Duration> {
    let left = Duration::from_millis(not_before.millis().saturating_sub(now().millis()));
    (left > Duration::ZERO && left <= RETRY_MAX).then_some(left)
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
