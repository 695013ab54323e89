//! What does not go well: other owners, poison, damaged or missing stores.

use std::time::Duration;

use expect_test::expect;
use futures_util::FutureExt;
use playhouse_guest::Bytes;
use playhouse_node::store::{Bury, Identity, Message, MessageKind, OpenActor, Priority, Store, StoreError, Time};
use playhouse_node::{ActorOptions, Node, NodeError};

use super::kit::{Place, keeper};
use super::told::{Step, Told};
use crate::support::{Stage, ask, route, until};

fn identity(instance: &str) -> Identity {
    Identity {
        realm: playhouse_node::types::Realm::new(7),
        manufacturer: "test".parse().unwrap(),
        type_name: "Keeper".parse().unwrap(),
        instance: instance.to_owned(),
    }
}

#[tokio::test]
async fn an_actor_that_was_opened_elsewhere_ends_here() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
        // Nobody renews it any more: the lease ends, and somebody else takes the actor.
        let now = Time::from_millis(u64::MAX);
        let open =
            OpenActor { identity: identity("1"), owner: "other".to_owned(), now, lease_for: Duration::from_secs(60) };
        place.store().open_actor(open).await.unwrap();
        expect!["unavailable: epoch 1 is stale: actor 1 is at epoch 2 [stale-epoch]"]
            .assert_eq(&ask(&actor, "add", "").await);
        until(|| actor.status().state.name() == "parked").await;
        assert!(ask(&actor, "count", "").await.ends_with("[actor-parked]"));
        let resumed = actor.resume().await.unwrap_err().to_string();
        assert!(resumed.contains("the actor is owned by \"other\" until"), "{resumed}");
        assert_eq!(actor.status().state.name(), "parked");
    }
}

#[tokio::test]
async fn an_owned_actor_is_not_started() {
    let place = Place::disk();
    let now = Time::from_millis(u64::MAX / 2);
    let open =
        OpenActor { identity: identity("mine"), owner: "other".to_owned(), now, lease_for: Duration::from_secs(60) };
    place.store().open_actor(open).await.unwrap();
    let options = || ActorOptions { instance: Some("mine".to_owned()), ..ActorOptions::default() };
    let node = place.node();
    let stage = Stage::default();
    let factory = {
        let stage = stage.clone();
        move || super::kit::Keeper::new(&stage)
    };
    let refused = node.link(crate::support::actor_type("Keeper"), factory, options()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("test:Keeper:1 cannot be opened in the store: the actor is owned by \"other\" until"),
        "{refused}"
    );
    assert_eq!(refused.code().text(), "actor-owned");
    assert!(node.actors().is_empty());
}

#[tokio::test]
async fn instances_have_names_of_their_own() {
    let place = Place::disk();
    let (node, stage) = (place.node(), Stage::default());
    let first = keeper(&node, &stage, ActorOptions::default()).await;
    let second = keeper(&node, &stage, ActorOptions::default()).await;
    let named = || ActorOptions { instance: Some("eve".to_owned()), ..ActorOptions::default() };
    let third = keeper(&node, &stage, named()).await;
    let instances = [&first, &second, &third].map(|actor| actor.status().instance.unwrap());
    assert_eq!(instances, ["1", "2", "eve"]);
    assert_eq!(ask(&second, "add", "").await, "1");
    assert_eq!(ask(&first, "count", "").await, "0");
    let factory = {
        let stage = stage.clone();
        move || super::kit::Keeper::new(&stage)
    };
    let refused = node.link(crate::support::actor_type("Keeper"), factory, named()).await.unwrap_err();
    expect![[r#"an instance "eve" of test:Keeper:1 runs on this node already"#]].assert_eq(&refused.to_string());
    node.stop(second.id(), Duration::from_secs(1)).await.unwrap();
    let again = keeper(&node, &stage, ActorOptions::default()).await;
    assert_eq!(again.id(), second.id());
    assert_eq!(ask(&again, "count", "").await, "1");
}

#[tokio::test]
async fn what_cannot_be_decoded_becomes_a_dead_letter_and_can_be_retried() {
    for place in Place::all() {
        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        actor.tell(route("corrupt"), Bytes::from_static(b"bytes")).await.unwrap();
        until(|| actor.status().tallies.failed == 1).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
        let id = actor.id().clone();
        place.kill(node).await;

        let node = place.node();
        let dead = node.dead_letters().await.unwrap();
        assert_eq!(dead.len(), 1);
        expect!["1@7/test:Keeper:* from None: corrupt b\"bytes\" tried 1: decode failure: bytes"].assert_eq(&format!(
            "{} from {:?}: {} {:?} tried {}: {}",
            dead[0].to, dead[0].from, dead[0].route, dead[0].payload, dead[0].attempts, dead[0].cause
        ));
        // It waits for its actor, which handles it again.
        node.retry_dead_letter(dead[0].number).await.unwrap();
        assert!(node.dead_letters().await.unwrap().is_empty());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(actor.id(), &id);
        until(|| actor.status().tallies.failed == 1).await;
        assert_eq!(ask(&actor, "echo", "after").await, "after");
        let dead = node.dead_letters().await.unwrap();
        assert_eq!(dead.len(), 1);
        node.retry_dead_letter(dead[0].number).await.unwrap();
        until(|| actor.status().tallies.failed == 2).await;
        assert_eq!(ask(&actor, "add", "").await, "2");
        let dead = node.dead_letters().await.unwrap();
        assert_eq!(node.drop_dead_letter(dead[0].number).await.unwrap().number, dead[0].number);
        assert!(node.dead_letters().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn two_nodes_with_one_name_take_actors_from_each_other() {
    let place = Place::disk();
    let stage = Stage::default();
    let node = |owner: &str| Node::builder().realm(7).store(place.store()).owner(owner).start().unwrap();
    let (one, other) = (node("one"), node("other"));
    let actor = keeper(&one, &stage, ActorOptions::default()).await;
    let factory = {
        let stage = stage.clone();
        move || super::kit::Keeper::new(&stage)
    };
    let refused = other.link(crate::support::actor_type("Keeper"), factory, ActorOptions::default()).await.unwrap_err();
    assert_eq!(refused.code().text(), "actor-owned");
    assert_eq!(ask(&actor, "add", "").await, "1");
    one.shutdown(Duration::from_secs(1)).await;
    let actor = keeper(&other, &stage, ActorOptions::default()).await;
    assert_eq!(ask(&actor, "add", "").await, "2");
}

/// The actor had looked before the letter was there, and nobody looked again.
#[tokio::test]
async fn a_letter_that_is_retried_while_its_actor_is_opened_is_handled() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    actor.tell(route("corrupt"), Bytes::from_static(b"bytes")).await.unwrap();
    until(|| actor.status().tallies.failed == 1).await;
    assert_eq!(ask(&actor, "add", "").await, "1");
    let number = node.dead_letters().await.unwrap()[0].number;
    node.stop(actor.id(), Duration::from_secs(1)).await.unwrap();

    told.next("retry_letter", Step::Waits("retry"));
    let (retried, actor) = futures_util::future::join(node.retry_dead_letter(number), async {
        told.asked("retry_letter").await;
        // Both queues are read, and nothing is in them.
        told.next("queued", Step::Through);
        told.next("queued", Step::Through);
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        told.asked("queued").await;
        stage.open("retry");
        actor
    })
    .await;
    retried.unwrap();
    until(|| actor.status().tallies.failed == 1).await;
}

#[tokio::test]
async fn a_letter_that_cannot_be_shown_is_not_dropped() {
    let place = Place::disk();
    let (node, store) = (place.node(), place.store());
    let actor = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    let message = Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: "nobody".to_owned(),
        request: None,
        route: "append".to_owned(),
        payload: Bytes::new(),
        deadline: None,
        context: Bytes::new(),
    };
    let (actor, cause) = (actor.stored().unwrap(), "foreign".to_owned());
    let id = store.bury(Bury { actor, now: Time::default(), cause, attempts: 1, message }).await.unwrap().unwrap();
    assert!(node.dead_letters().await.unwrap().is_empty());
    let refused = node.drop_dead_letter(id.number()).await;
    assert!(matches!(refused, Err(NodeError::NoDeadLetter { .. })), "{refused:?}");
    assert!(store.letter(id).await.unwrap().is_some());
}

/// Its name was free before it was gone: the next actor of the name, which has the same id, could be removed in its place.
#[tokio::test]
async fn an_actor_is_not_found_any_more_when_its_name_is_free() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    let (of, seen) = (node.clone(), stage.clone());
    told.next("release", Step::After(Box::new(move || seen.note(format!("{} are found", of.actors().len())))));
    node.stop(actor.id(), Duration::from_secs(1)).await.unwrap();
    assert_eq!(stage.notes(), ["start with 0", "stop", "0 are found"]);
}

/// A stopped actor that waited for its commits, to be opened again, took the epoch from the one that had its name by then, and that one out of
/// the node's list: it was parked, and once resumed its timers did not ring.
#[tokio::test]
async fn a_stopped_actor_does_not_take_anything_from_its_successor() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    told.next("commit", Step::FailsLate("first", StoreError::Unknown { cause: "pulled".into() }));
    told.next("commit", Step::Waits("second"));
    assert_eq!((ask(&actor, "add", "").await, ask(&actor, "add", "").await), ("1".to_owned(), "2".to_owned()));
    stage.open("first");
    until(|| actor.status().state.name() == "restarting").await;
    node.stop(actor.id(), Duration::from_millis(1)).await.unwrap();
    let next = keeper(&node, &stage, ActorOptions::default()).await;
    assert_eq!(next.id(), actor.id());
    stage.open("second");
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&next, "add", "").await, "1");
    assert_eq!(ask(&next, "timer", "soon 1 append rung").await, "");
    until(|| stage.notes().contains(&"rung".to_owned())).await;
    assert_eq!(next.status().state.name(), "running");
}

/// A store that took nothing at that moment heard of it no more: other nodes waited until the lease had ended.
#[tokio::test]
async fn a_lease_is_given_back_as_soon_as_the_store_takes_it() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    let busy = || Step::Fails(StoreError::Busy { what: "writes", limit: 0 });
    told.next("release", busy());
    told.next("release", busy());
    node.stop(actor.id(), Duration::from_secs(10)).await.unwrap();
    let stored = told.actor(actor.stored().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.lease.until, Time::default());
}

/// Whoever waited for it had gone before the store answered, and nobody told the actor.
#[tokio::test]
async fn a_letter_is_handled_although_nobody_waits_for_its_retry() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    actor.tell(route("corrupt"), Bytes::from_static(b"bytes")).await.unwrap();
    until(|| actor.status().tallies.failed == 1).await;
    assert_eq!(ask(&actor, "add", "").await, "1");
    let number = node.dead_letters().await.unwrap()[0].number;
    told.next("retry_letter", Step::Waits("retry"));
    assert!(node.retry_dead_letter(number).now_or_never().is_none());
    stage.open("retry");
    until(|| actor.status().tallies.failed == 2).await;
}

/// The store gave the actor to nobody, and others waited until that lease had ended.
#[tokio::test]
async fn an_actor_that_nobody_waits_for_while_it_is_opened_is_there() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    told.next("open_actor", Step::Waits("open"));
    assert!(keeper(&node, &stage, ActorOptions::default()).now_or_never().is_none());
    stage.open("open");
    assert_eq!(stage.noted(1).await, ["start with 0"]);
    until(|| node.actors().len() == 1).await;
    let id = node.actors()[0].id.clone();
    node.stop(&id, Duration::from_secs(1)).await.unwrap();
    assert_eq!(stage.notes(), ["start with 0", "stop"]);
}
