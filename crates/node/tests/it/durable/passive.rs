//! Idle actors leave memory, and come back with their state.

use std::time::Duration;

use playhouse_guest::Bytes;
use playhouse_node::ActorOptions;

use super::kit::{Place, keeper};
use crate::support::{Stage, ask, route, until};

fn quick() -> ActorOptions {
    ActorOptions { passivate_after: Some(Duration::from_millis(20)), ..ActorOptions::default() }
}

#[tokio::test]
async fn an_idle_actor_leaves_memory_and_comes_back() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let actor = keeper(&node, &stage, quick()).await;
        assert_eq!(ask(&actor, "add", "").await, "1");
        until(|| actor.status().state.name() == "passive").await;
        assert_eq!(ask(&actor, "add", "").await, "2");
        until(|| actor.status().state.name() == "passive").await;
        actor.tell(route("append"), Bytes::from_static(b"told")).await.unwrap();
        stage.noted(6).await;
        until(|| actor.status().state.name() == "passive").await;
        assert_eq!(stage.notes()[..6], ["start with 0", "stop", "start with 1", "stop", "start with 2", "told"]);
        assert_eq!(ask(&actor, "get", "all").await, "told ");
        until(|| actor.status().state.name() == "passive").await;
        node.stop(actor.id(), Duration::from_secs(1)).await.unwrap();
        assert!(node.actors().is_empty());
    }
}

#[tokio::test]
async fn a_timer_brings_a_passive_actor_back() {
    let place = Place::disk();
    let (node, stage) = (place.node(), Stage::default());
    let actor = keeper(&node, &stage, quick()).await;
    ask(&actor, "timer", "alarm 300 append rung").await;
    until(|| actor.status().state.name() == "passive").await;
    assert_eq!(stage.noted(4).await, ["start with 0", "stop", "start with 0", "rung"]);
}
