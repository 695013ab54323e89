use std::sync::Arc;

use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, RouteKey};
use playhouse_store::{MemoryStore, Retention};

use super::*;
use crate::actor_ref::ActorRef;
use crate::node::Node;
use crate::options::ActorOptions;

/// An actor that sets its timer anew, or cancels it.
struct Sitter;

impl Actor for Sitter {}

impl Dispatch for Sitter {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, _payload: Bytes) -> Result<Bytes, Error> {
        match route.as_str() {
            "cancel" => cx.timers().cancel("idle").await?,
            _ => {
                cx.timers().after("idle", Duration::from_secs(3600), RouteKey::from_static("set"), Bytes::new()).await?
            }
        }
        Ok(Bytes::new())
    }
}

async fn sitter() -> (Node, ActorRef, Arc<Keeper>) {
    let node = Node::builder().store(Arc::new(MemoryStore::new(Retention::default()))).start().expect("a node");
    let actor_type = "test:Sitter:1".parse().expect("a type");
    let actor = node.link(actor_type, || Sitter, ActorOptions::default()).await.expect("an actor");
    let keeper = node.0.keeper.clone().expect("a store");
    (node, actor, keeper)
}

async fn send(actor: &ActorRef, route: &'static str) {
    actor.call(RouteKey::from_static(route), Bytes::new()).await.expect("a reply");
}

/// An actor that puts its timer off with each message left one alarm per message, until their times had come.
#[tokio::test]
async fn a_timer_is_watched_once_however_often_it_is_set() {
    let (node, actor, keeper) = sitter().await;
    let watched = || keeper.alarms.due.lock().len();
    for _ in 0..10 {
        send(&actor, "set").await;
        assert_eq!(watched(), 1);
    }
    send(&actor, "cancel").await;
    assert_eq!(watched(), 0);
    send(&actor, "set").await;
    node.stop(actor.id(), Duration::from_secs(1)).await.expect("it runs");
    assert_eq!(watched(), 0);
}

/// The clock was set back after the keeper had taken an alarm out, and before the actor looked: nobody watched the timer any more.
#[tokio::test]
async fn a_timer_that_is_not_due_yet_is_watched_again() {
    let (_node, actor, keeper) = sitter().await;
    send(&actor, "set").await;
    let before = std::mem::take(&mut *keeper.alarms.due.lock());
    actor.0.ring("idle");
    assert_eq!(*keeper.alarms.due.lock(), before);
}
