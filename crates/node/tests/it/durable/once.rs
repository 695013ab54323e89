//! Requests whose ids their callers chose, on a store that does not always answer.

use playhouse_guest::Bytes;
use playhouse_node::store::StoreError;
use playhouse_node::{ActorOptions, ActorRef, CallOptions, Node};

use super::kit::keeper;
use super::told::{Step, Told};
use crate::support::{Stage, ask, route, show};

/// Counts once for each id.
async fn add(actor: &ActorRef, id: &str) -> String {
    let options = CallOptions { request_id: Some(id.parse().unwrap()), ..CallOptions::default() };
    show(actor.call_with(route("add"), Bytes::new(), options).await)
}

async fn scene() -> (Stage, Told, Node, ActorRef) {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    (stage, told, node, actor)
}

/// The passing failure was the answer to all repetitions, for five minutes.
#[tokio::test]
async fn a_request_may_be_repeated_when_the_store_could_not_look_for_it() {
    let (_stage, told, _node, actor) = scene().await;
    told.next("recorded", Step::Fails(StoreError::Unreachable { cause: "pulled".into() }));
    assert!(add(&actor, "r-1").await.ends_with("[store-unreachable]"));
    assert_eq!(add(&actor, "r-1").await, "1");
    assert_eq!(add(&actor, "r-1").await, "1");
}
