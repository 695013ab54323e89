//! State: committed with the message, dropped with its failure, there after a restart.

use std::time::Duration;

use expect_test::expect;
use playhouse_guest::Bytes;
use playhouse_node::store::Quota;
use playhouse_node::{ActorOptions, CallOptions, Grant, Grants};

use super::kit::{Place, keeper};
use crate::support::{Stage, ask, route, show};

#[tokio::test]
async fn state_survives_a_restart() {
    for place in Place::all() {
        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        let id = actor.id().clone();
        for expected in ["1", "2", "3"] {
            assert_eq!(ask(&actor, "add", "").await, expected);
        }
        place.kill(node).await;

        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(actor.id(), &id);
        assert_eq!(ask(&actor, "add", "").await, "4");
        node.shutdown(Duration::from_secs(5)).await;
        assert_eq!(stage.notes(), ["start with 0", "start with 3", "stop"]);
    }
}

#[tokio::test]
async fn a_failure_drops_what_the_message_did() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
        assert_eq!(ask(&actor, "fail", "no").await, "invalid argument: no");
        assert_eq!(ask(&actor, "panic", "oh").await, "internal error: the handler panicked: oh [handler-panic]");
        assert_eq!(ask(&actor, "add", "").await, "2");
    }
}

#[tokio::test]
async fn operations_on_the_state() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        for key in ["a/1", "a/2", "a/3", "b/1"] {
            ask(&actor, "set", &format!("{key} v")).await;
        }
        assert_eq!(ask(&actor, "scan", "a/ 2").await, "a/1 a/2 more true");
        assert_eq!(ask(&actor, "scan", "a/ 3").await, "a/1 a/2 a/3 more false");
        assert_eq!(ask(&actor, "scan", "c 3").await, " more false");
        assert_eq!(ask(&actor, "cas", "a/1 same w").await, "true");
        assert_eq!(ask(&actor, "get", "a/1").await, "w");
        assert_eq!(ask(&actor, "cas", "a/1 stale x").await, "false");
        assert_eq!(ask(&actor, "cas", "new same y").await, "true");
        assert_eq!(ask(&actor, "get", "new").await, "y");
        expect!["invalid argument: a value of state has 8388609 bytes, the limit is 8388608 [store-limit]"]
            .assert_eq(&ask(&actor, "big", "8388609").await);
    }
}

#[tokio::test]
async fn without_a_store_or_a_grant_there_is_no_state() {
    let stage = Stage::default();
    let node = crate::support::node();
    let refused = node.link(
        crate::support::actor_type("K"),
        {
            let stage = stage.clone();
            move || super::kit::Keeper::new(&stage)
        },
        ActorOptions::default(),
    );
    expect!["test:K:1 did not start: unavailable: its start hook failed: the node of 1@7/test:K:1 keeps no store"]
        .assert_eq(&refused.await.unwrap_err().to_string());
    let place = Place::disk();
    let node = place.node();
    let options = ActorOptions { grants: Some(Grants::NONE.with(Grant::Call)), ..ActorOptions::default() };
    let refused = node.link(crate::support::actor_type("K"), move || super::kit::Keeper::new(&stage), options);
    expect![[r#"test:K:1 did not start: permission denied: its start hook failed: 1@7/test:K:1 has no grant `state`; add "state" to `grants` in its manifest and in the node's policy"#]]
        .assert_eq(&refused.await.unwrap_err().to_string());
}

#[tokio::test]
async fn over_its_quota_a_message_fails_alone_and_the_memory_follows_the_state() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let quota = Quota { state_bytes: 1000, ..Quota::default() };
        let actor = keeper(&node, &stage, ActorOptions { quota, ..ActorOptions::default() }).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
        let refused = ask(&actor, "big", "1000").await;
        expect!["invalid argument: state_bytes would be 1009, the quota is 1000 [state-quota]"].assert_eq(&refused);
        assert_eq!(ask(&actor, "memory", "").await, "1");
        assert_eq!(ask(&actor, "add", "").await, "2");
        assert_eq!(stage.notes(), ["start with 0", "start with 1"]);
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_recorded_reply_after_a_restart() {
    for place in Place::all() {
        let stage = Stage::default();
        let options =
            |client| CallOptions { request_id: Some("r-1".parse().unwrap()), client, ..CallOptions::default() };
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(show(actor.call_with(route("add"), Bytes::new(), options(0)).await), "1");
        place.kill(node).await;

        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(show(actor.call_with(route("add"), Bytes::new(), options(0)).await), "1");
        assert_eq!(show(actor.call_with(route("add"), Bytes::new(), options(5)).await), "2");
        assert_eq!(ask(&actor, "count", "").await, "2");
    }
}

#[tokio::test]
async fn callers_share_the_waits_for_the_disk() {
    let place = Place::disk();
    let (node, stage) = (place.node(), Stage::default());
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    let before = place.store().stats().await.unwrap();
    let calls = (0..64).map(|_| {
        let actor = actor.clone();
        tokio::spawn(async move {
            for _ in 0..8 {
                ask(&actor, "add", "").await.parse::<u64>().unwrap();
            }
        })
    });
    futures_util::future::join_all(calls).await.into_iter().for_each(|done| done.unwrap());
    assert_eq!(ask(&actor, "count", "").await, "512");
    let after = place.store().stats().await.unwrap();
    let (writes, groups) = (after.writes - before.writes, after.groups - before.groups);
    assert!(writes >= 512 && groups * 4 < writes, "{writes} writes in {groups} groups");
}
