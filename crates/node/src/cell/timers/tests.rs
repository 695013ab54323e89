use playhouse_guest::{Actor, Context, Dispatch, Error, RouteKey};
use playhouse_store::{MemoryStore, Retention};

use super::*;
use crate::node::Node;
use crate::options::ActorOptions;

struct Idle;

impl Actor for Idle {}

impl Dispatch for Idle {
    async fn dispatch(&mut self, _cx: Context<'_>, _route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        Ok(payload)
    }
}

/// What is left of the effects of a message that a timer for that time brought, while the actor has one for the time 1.
async fn check(due: u64, expected: &str) {
    let node = Node::builder().store(Arc::new(MemoryStore::new(Retention::default()))).start().expect("a node");
    let actor_type = "test:Idle:1".parse().expect("a type");
    let actor = node.link(actor_type, || Idle, ActorOptions::default()).await.expect("an actor");
    let durable = actor.0.durable.as_ref().expect("a store");
    durable.timers.set.lock().insert("t".to_owned(), Alarm::new(Time::from_millis(1), Bytes::new()));
    let mut effects = durable.view().begin().await.expect("effects");
    effects.set("key".into(), "value".into()).expect("small");
    let mut effects = Some(effects);
    let changes = Changes::from([("other".to_owned(), Some((Time::from_millis(u64::MAX), Bytes::new())))]);
    actor.0.change_timers(&mut effects, changes, Some(("t", Time::from_millis(due))));
    let names: Vec<_> = durable.timers.set.lock().keys().cloned().collect();
    let found = format!("{:?}; timers {}", effects.expect("they stay"), names.join(" "));
    assert_eq!(found, expected);
}

/// Two messages of one timer were handled at the same time, and both took effect.
#[tokio::test]
async fn what_a_timer_does_that_is_not_set_any_more_is_undone() {
    check(1, "Effects(1 changes, 8 bytes); timers other").await;
    check(2, "Effects(0 changes, 0 bytes); timers t").await;
}
