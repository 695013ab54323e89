//! An actor that does not wait for the disk: its next message sees what the one before it wrote, and if a commit is refused, what
//! was computed from it is refused, too.

use std::sync::Arc;

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorStore, BatchLimits, COMMITS_UNDER_WAY_MAX, Commit, Committed, Done, Durability, Effects, Expect,
    KeyChange, KeyRange, Quota, Receipt, Retention, StoreError,
};

use crate::support::{NOW, Place, all_of_it, done, enqueue_of, message, open_request, payloads, sqlite};

struct Stage {
    place: Place,
    actor: ActorStore,
}

async fn stage(quota: Quota) -> Stage {
    let place = sqlite(Retention::default());
    let lease = place.store.open_actor(open_request("one", "node-a", NOW)).await.expect("nobody else has it");
    let actor = ActorStore::new(Arc::clone(&place.store), lease, quota);
    Stage { place, actor }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

impl Stage {
    fn commit(&self, effects: Effects) -> Receipt<Committed> {
        self.actor.commit(effects, NOW, Durability::Fsync)
    }

    /// Adds one to what is counted, as a handler would.
    async fn count(&self) -> Result<Receipt<Committed>, StoreError> {
        let mut effects = self.actor.begin().await?;
        let count = effects.get(b"count").await?.map_or(0, |found| found.value[0]);
        effects.set(bytes("count"), Bytes::copy_from_slice(&[count.wrapping_add(1)]))?;
        effects.set(Bytes::copy_from_slice(&[b'k', count]), Bytes::new())?;
        Ok(self.commit(effects))
    }

    async fn counted(&self) -> Option<u8> {
        let found = self.place.store.state(self.actor.lease().actor, b"count").await.expect("it can be read");
        found.map(|found| found.value[0])
    }
}

#[tokio::test]
async fn each_message_sees_the_one_before() {
    let stage = stage(Quota::default()).await;
    let mut receipts = Vec::new();
    for _ in 0..200 {
        receipts.push(stage.count().await.expect("the actor lives"));
    }
    let effects = stage.actor.begin().await.expect("the actor lives");
    let keys = effects.scan(KeyRange::prefix(b"k"), all_of_it()).await.expect("it can be read");
    assert_eq!(keys.len(), 200, "also what the disk does not have yet");
    let part = effects.scan(KeyRange::prefix(b"k"), BatchLimits { items: 7, bytes: 99 }).await.expect("it can be read");
    assert_eq!(part, keys[..7]);
    for receipt in receipts {
        receipt.await.expect("nothing is in its way");
    }
    assert_eq!(stage.counted().await, Some(200));
}

#[tokio::test]
async fn more_than_may_be_under_way_wait() {
    let stage = stage(Quota::default()).await;
    let mut receipts = Vec::new();
    for _ in 0..COMMITS_UNDER_WAY_MAX * 2 {
        receipts.push(stage.count().await.expect("the actor lives"));
        let waiting = stage.place.store.stats().await.expect("it can be read").waiting;
        assert!(waiting <= COMMITS_UNDER_WAY_MAX as u64);
    }
    for receipt in receipts {
        receipt.await.expect("nothing is in its way");
    }
}

#[tokio::test]
async fn what_was_computed_from_a_refused_commit_is_refused() {
    let stage = stage(Quota::default()).await;
    stage.count().await.expect("the actor lives").await.expect("the first");
    // Two messages saw the key absent; the second to be committed is wrong, and so is what follows.
    let mut racing = Vec::new();
    for _ in 0..2 {
        let mut effects = stage.actor.begin().await.expect("the actor lives");
        let absent = effects.compare_and_set(bytes("once"), Expect::Absent, Some(bytes("won"))).await;
        absent.expect("it is absent so far");
        racing.push(effects);
    }
    let mut receipts: Vec<_> = racing.into_iter().map(|effects| stage.commit(effects)).collect();
    let mut follows = stage.actor.begin().await.expect("the actor lives");
    follows.set(bytes("follows"), bytes("x")).expect("small");
    receipts.push(stage.commit(follows));
    let mut results = Vec::new();
    for receipt in receipts {
        results.push(receipt.await);
    }
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(StoreError::VersionMismatch { .. })), "{:?}", results[1]);
    assert!(matches!(results[2], Err(StoreError::PredecessorFailed { .. })), "{:?}", results[2]);

    // The actor goes on where it was.
    let effects = stage.actor.begin().await.expect("the actor lives");
    assert_eq!(effects.get(b"follows").await, Ok(None));
    assert!(effects.get(b"once").await.expect("it can be read").is_some());
    for expected in 2..50 {
        stage.count().await.expect("the actor lives").await.expect("nothing is in its way");
        assert_eq!(stage.counted().await, Some(expected));
    }
}

#[tokio::test]
async fn near_a_quota_one_refusal_takes_nobody_along() {
    let stage = stage(Quota { state_keys: 20, ..Quota::default() }).await;
    let mut refused = 0;
    let mut receipts = Vec::new();
    for number in 0..40 {
        let mut effects = stage.actor.begin().await.expect("the actor lives");
        // Every second one only overwrites.
        let key = if number % 2 == 0 { number.to_string() } else { "same".to_owned() };
        effects.set(bytes(&key), bytes("x")).expect("small");
        receipts.push(stage.commit(effects));
    }
    for receipt in receipts {
        match receipt.await {
            Ok(_) => {}
            Err(StoreError::QuotaExceeded { what: "state_keys", .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(refused, 1, "20 new keys and one that stays, for 20");
}

#[tokio::test]
async fn keys_under_way_are_seen() {
    let stage = stage(Quota::default()).await;
    let mut first = stage.actor.begin().await.expect("the actor lives");
    first.change_key(KeyChange::Create { name: "sign".to_owned(), blob: bytes("sealed") }).expect("small");
    let receipt = stage.commit(first);
    let second = stage.actor.begin().await.expect("the actor lives");
    assert_eq!(second.sealed_key("sign").await, Ok(Some(bytes("sealed"))));
    receipt.await.expect("nothing is in its way");
    assert_eq!(second.sealed_key("sign").await, Ok(Some(bytes("sealed"))));
}

#[tokio::test]
async fn a_closed_store_ends_the_actor() {
    let stage = stage(Quota::default()).await;
    stage.place.store.close().await.expect("nothing is in its way");
    let mut effects = stage.actor.begin().await.expect("nobody knows yet");
    effects.set(bytes("k"), bytes("v")).expect("small");
    assert_eq!(stage.commit(effects).await.expect_err("it is closed"), StoreError::Closed);
    assert_eq!(stage.actor.begin().await.expect_err("it is over"), StoreError::Closed);
}

/// Answers are given on the store's own thread. One that panics ends it, and everybody hears.
#[tokio::test]
async fn an_answer_that_panics_leaves_nobody_waiting() {
    let stage = stage(Quota::default()).await;
    let store = &stage.place.store;
    let lease = stage.actor.lease();
    let draft = Commit::new(lease.actor, lease.epoch, lease.revision.next(), NOW, Durability::Fsync);
    let (told, heard) = tokio::sync::oneshot::channel();
    let panics = move |_| {
        told.send(()).expect("the test listens");
        panic!("an answer that panics")
    };
    store.commit(draft, Done::call(panics));
    heard.await.expect("it is answered");
    let mut effects = stage.actor.begin().await.expect("nobody knows yet");
    effects.set(bytes("k"), bytes("v")).expect("small");
    assert_eq!(stage.commit(effects).await.expect_err("nobody writes any more"), StoreError::Closed);
    store.close().await.expect("it is closed already");
}

/// A message may be the last to hold the store; its answer is then given on the store's own thread.
#[tokio::test]
async fn the_last_clone_may_go_with_an_answer() {
    let stage = stage(Quota::default()).await;
    let mut effects = stage.actor.begin().await.expect("the actor lives");
    effects.set(bytes("k"), bytes("v")).expect("small");
    let receipt = stage.commit(effects);
    let Stage { place, actor } = stage;
    drop(actor);
    drop(place);
    receipt.await.expect("what was submitted is written");
}

/// A message that is put into the mailbox, and the commit that says it was handled, which did nothing else.
async fn handled(stage: &Stage) -> Receipt<Committed> {
    let to = stage.actor.lease().actor;
    let accepted = stage.place.store.enqueue(enqueue_of(&*stage.place.store, to, message("one"))).await;
    let Ok(Accepted::Queued(position)) = accepted else { panic!("{accepted:?}") };
    let mut effects = stage.actor.begin().await.expect("the actor lives");
    effects.consume(done(position));
    assert!(effects.is_forgettable());
    stage.actor.commit(effects, NOW, Durability::Memory)
}

/// Nobody waits for the disk because of a message that was handled without effects: it goes with what is written next.
#[tokio::test]
async fn what_may_be_forgotten_is_written_with_what_comes_next() {
    let stage = stage(Quota::default()).await;
    let store = &stage.place.store;
    let receipt = handled(&stage).await;
    let before = store.stats().await.expect("it can be read").groups;
    let to = stage.actor.lease().actor;
    store.enqueue(enqueue_of(&**store, to, message("two"))).await.expect("there is room");
    receipt.await.expect("nothing is in its way");
    assert_eq!(store.stats().await.expect("it can be read").groups, before + 1);
    assert_eq!(payloads(&**store, to), ["two"]);
}

#[tokio::test]
async fn what_may_be_forgotten_is_written_some_time_or_when_somebody_asks() {
    let stage = stage(Quota::default()).await;
    handled(&stage).await.await.expect("nothing is in its way");
    let receipt = handled(&stage).await;
    stage.place.store.hasten();
    receipt.await.expect("nothing is in its way");
}
