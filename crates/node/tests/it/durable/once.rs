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

/// The repetition did not find the commit, which then happened, and was handled as well.
#[tokio::test]
async fn a_request_that_may_still_happen_is_not_handled_again() {
    let (stage, told, _node, actor) = scene().await;
    told.next("commit", Step::Unknown("commit"));
    told.next("open_actor", Step::Waits("open"));
    assert!(add(&actor, "r-1").await.ends_with("[write-unknown]"));
    told.asked("open_actor").await;
    let (again, ()) = futures_util::future::join(add(&actor, "r-1"), async {
        // As far as the repetition gets; it must not get on before the actor is opened again.
        for door in ["commit", "open"] {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            stage.open(door);
        }
    })
    .await;
    assert_eq!(again, "1");
    assert_eq!(ask(&actor, "count", "").await, "1");
}
