//! Idle actors leave memory, and come back with their state.

use std::time::Duration;

use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, RouteKey};
use playhouse_node::ActorOptions;
use playhouse_node::store::StoreError;

use super::kit::{Place, keeper};
use super::told::{Step, Told};
use crate::support::{Stage, actor_type, ask, route, until};

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

/// Writes as it goes.
struct Leaving(Stage);

impl Actor for Leaving {
    async fn on_start(&mut self, _cx: Context<'_>) -> Result<(), Error> {
        self.0.note("start");
        Ok(())
    }

    async fn on_stop(&mut self, cx: Context<'_>) -> Result<(), Error> {
        self.0.note("stop");
        cx.state().set("left", "x").await
    }
}

impl Dispatch for Leaving {
    async fn dispatch(&mut self, _cx: Context<'_>, _route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        Ok(payload)
    }
}

/// A timer that rang between the refusal and the sleep waited for the next message.
#[tokio::test]
async fn an_actor_does_not_sleep_before_it_knows_its_timers() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    told.next("commit", Step::Fails(StoreError::Busy { what: "writes", limit: 0 }));
    let going = stage.clone();
    let actor = node.link(actor_type("Leaving"), move || Leaving(going.clone()), quick()).await.unwrap();
    assert_eq!(stage.noted(4).await, ["start", "stop", "start", "stop"]);
    until(|| actor.status().state.name() == "passive").await;
}
