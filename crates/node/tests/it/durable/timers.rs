//! Timers: set with the message, ringing after restarts, once for what was missed.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use playhouse_node::store::{BatchLimits, LetterId, Quota, Store, StoreError};
use playhouse_node::{ActorOptions, ActorRef, Node};

use super::kit::{Place, is_logged, keeper};
use super::refused::Censor;
use super::through::Through;
use super::told::{Step, Told};
use crate::support::{Stage, ask, until};

async fn timers(place: &Place, actor: &ActorRef) -> Vec<String> {
    let all = place.store().timers(actor.stored().unwrap(), "", 10).await.unwrap();
    all.into_iter().map(|timer| timer.name).collect()
}

/// Waits, yielding, until the store has these timers.
async fn has_timers(place: &Place, actor: &ActorRef, expected: &[&str]) {
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while timers(place, actor).await != expected {
        assert!(std::time::Instant::now() < end, "{:?}", timers(place, actor).await);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_timer_rings_once() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(ask(&actor, "timer", "soon 1 append hello").await, "");
        stage.noted(2).await;
        assert_eq!(ask(&actor, "get", "all").await, "hello ");
        has_timers(&place, &actor, &[]).await;
        assert_eq!(ask(&actor, "timer", "later 1 nonsense hello").await, "");
        until(|| actor.status().tallies.failed == 1).await;
    }
}

#[tokio::test]
async fn a_timer_is_set_only_if_its_message_succeeds() {
    let place = Place::disk();
    let (node, stage) = (place.node(), Stage::default());
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    expect!["invalid argument: a period of 99ms is shorter than 100ms, the limit [malformed-operation]"]
        .assert_eq(&ask(&actor, "every", "t 99 append x").await);
    assert!(ask(&actor, "cron", "61 * * * *").await.starts_with("invalid argument: the cron expression: "));
    assert_eq!(timers(&place, &actor).await, [""; 0]);
    assert_eq!(ask(&actor, "timer", "t 3600000 append x").await, "");
    assert_eq!(timers(&place, &actor).await, ["t"]);
    assert_eq!(ask(&actor, "cancel", "t").await, "");
    assert_eq!(timers(&place, &actor).await, [""; 0]);
}

#[tokio::test]
async fn periods_and_cron_ring_again_until_cancelled() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        ask(&actor, "every", "often 100 append a").await;
        stage.noted(4).await;
        ask(&actor, "cancel", "often").await;
        let before = stage.notes().len();
        ask(&actor, "cron", "* * * * * *").await;
        let notes = stage.noted(before + 2).await;
        assert_eq!(notes[1..before], vec!["a"; before - 1]);
        assert_eq!(notes[before..], ["tick", "tick"]);
        assert_eq!(timers(&place, &actor).await, ["cron"]);
    }
}

#[tokio::test]
async fn timers_ring_after_a_restart_and_missed_periods_are_one() {
    for place in Place::all() {
        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        ask(&actor, "timer", "once 150 append once").await;
        ask(&actor, "every", "often 100 append often").await;
        place.kill(node).await;
        // End to end: the times have to pass.
        tokio::time::sleep(Duration::from_millis(350)).await;

        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        let notes = stage.noted(3).await;
        assert_eq!(notes[0], "start with 0");
        let mut rung = notes[1..3].to_vec();
        rung.sort_unstable();
        assert_eq!(rung, ["often", "once"]);
        has_timers(&place, &actor, &["often"]).await;
    }
}

/// It was queued for the workload that was lost, and again for the next one, and both messages took effect.
#[tokio::test]
async fn a_timer_that_is_due_while_its_actor_is_opened_again_rings_once() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    assert_eq!(ask(&actor, "timer", "t 50 append rung").await, "");
    told.next("commit", Step::Fails(StoreError::Unreachable { cause: "pulled".into() }));
    told.next("open_actor", Step::Waits("open"));
    assert!(ask(&actor, "add", "").await.ends_with("[store-unreachable]"));
    told.asked("open_actor").await;
    let (waited, ()) = futures_util::future::join(ask(&actor, "wait", "door"), async {
        // End to end: the times have to pass, in which it may ring.
        let passed = std::time::Instant::now() + Duration::from_millis(150);
        until(|| std::time::Instant::now() >= passed).await;
        stage.open("open");
        let passed = passed + Duration::from_millis(100);
        until(|| std::time::Instant::now() >= passed && actor.status().queued > 0).await;
        stage.open("door");
    })
    .await;
    assert_eq!(waited, "door");
    assert_eq!(stage.noted(4).await, ["start with 0", "start with 0", "waiting door", "rung"]);
    assert_eq!(ask(&actor, "get", "all").await, "rung ");
}

#[tokio::test]
async fn a_timer_does_not_ring_that_is_cancelled_while_its_message_waits() {
    let (place, stage) = (Place::disk(), Stage::default());
    let node = place.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    assert_eq!(ask(&actor, "timer", "t 300 append late").await, "");
    let (waited, cancelled, ()) =
        futures_util::future::join3(ask(&actor, "wait", "door"), ask(&actor, "cancel", "t"), async {
            until(|| actor.status().queued == 2).await;
            stage.open("door");
        })
        .await;
    assert_eq!((waited.as_str(), cancelled.as_str()), ("door", ""));
    assert_eq!(ask(&actor, "get", "all").await, "none");
    assert_eq!(timers(&place, &actor).await, [""; 0]);
}

/// It rang ten times a second, each time with a new workload, and nobody's commits came through.
#[tokio::test]
async fn a_timer_whose_message_is_refused_becomes_a_dead_letter() {
    let quota = Quota { state_bytes: 1000, ..Quota::default() };
    for (name, left) in [("timer", &[][..]), ("every", &["poison"])] {
        let (place, stage) = (Place::disk(), Stage::default());
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions { quota, ..ActorOptions::default() }).await;
        let period = if name == "timer" { 1 } else { 1000 };
        assert_eq!(ask(&actor, name, &format!("poison {period} big 2000")).await, "");
        let end = std::time::Instant::now() + Duration::from_secs(10);
        let dead = loop {
            let dead = node.dead_letters().await.unwrap();
            if !dead.is_empty() {
                break dead;
            }
            assert!(std::time::Instant::now() < end, "it goes round for ever");
            tokio::task::yield_now().await;
        };
        expect!["big tried 3: internal error: state_bytes would be 2003, the quota is 1000"]
            .assert_eq(&format!("{} tried {}: {}", dead[0].route, dead[0].attempts, dead[0].cause));
        has_timers(&place, &actor, left).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
    }
}

/// Its commit was one change too large: it was handled again and again, and where it was not refused the timer was not set again.
#[tokio::test]
async fn a_period_goes_on_whatever_its_message_writes() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    assert_eq!(ask(&actor, "every", "often 100 flood x").await, "");
    assert_eq!(stage.noted(3).await[..3], ["start with 0", "flooded", "flooded"]);
    assert_eq!(ask(&actor, "get", "flood-0").await, "x");
    assert_eq!(told.timers(actor.stored().unwrap(), "", 10).await.unwrap().len(), 1);
}

/// A timer rang before the disk had what set it. When the process died of its message, the timer had never been set, and was set again.
#[tokio::test]
async fn a_timer_does_not_ring_before_what_set_it_is_on_the_disk() {
    let place = Place::disk();
    let store = Arc::new(Through { store: place.sqlite(), between: Censor::default() });
    let node = Node::builder().realm(7).store(Arc::clone(&store) as Arc<dyn Store>).start().unwrap();
    let stage = Stage::default();
    let first = keeper(&node, &stage, ActorOptions::default()).await;
    let second = keeper(&node, &stage, ActorOptions::default()).await;
    // Timers of all actors ring in the order of their times: when this one has rung, the time of the other has come.
    assert_eq!(ask(&second, "timer", "late 50 append late").await, "");
    store.between.hold();
    let setting = tokio::spawn(async move { ask(&first, "timer", "soon 1 append soon").await });
    assert_eq!(stage.noted(3).await[2..], ["late"]);
    store.between.release().await;
    assert_eq!(setting.await.unwrap(), "");
    assert_eq!(stage.noted(4).await[2..], ["late", "soon"]);
}

/// The timer was consumed although the store had not taken the letter, and the message was gone.
#[tokio::test]
async fn a_timer_stays_set_until_its_message_is_a_dead_letter() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let quota = Quota { state_bytes: 1000, ..Quota::default() };
    let actor = keeper(&node, &stage, ActorOptions { quota, ..ActorOptions::default() }).await;
    told.next("bury", Step::Fails(StoreError::DiskFull { free: 0, reserve: 1 }));
    assert_eq!(ask(&actor, "timer", "poison 1 big 2000").await, "");
    told.asked("bury").await;
    until(|| told.store.letters(LetterId::default(), BatchLimits::default()).wait().unwrap().len() == 1).await;
    assert!(is_logged(&node, "failed was not stored"), "it is said");
}
