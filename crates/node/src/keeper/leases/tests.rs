use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use parking_lot::Mutex;
use playhouse_guest::{Actor, Bytes, Context as Message, Dispatch, Error, RouteKey};
use playhouse_store::{Done, MemoryStore, Retention, Store as _, Time};

use super::*;
use crate::node::Node;
use crate::options::ActorOptions;

/// A store that answers when nothing more comes. How many leases it had to renew in each group.
fn check(leases: u64, expected: &[usize]) {
    let asked: Arc<Mutex<Vec<Done<()>>>> = Arc::default();
    let submit = |_, _: &()| {
        let (done, receipt) = Receipt::pending();
        asked.lock().push(done);
        receipt
    };
    let lost = Mutex::new(0);
    let all = (1..=leases).map(|actor| ((ActorKey::from_number(actor), Epoch::from_number(1)), ())).collect();
    let mut renewing = std::pin::pin!(renew(all, submit, |(), _, _| *lost.lock() += 1));
    let mut groups = Vec::new();
    while renewing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        let group = std::mem::take(&mut *asked.lock());
        groups.push(group.len());
        group.into_iter().for_each(|done| done.answer(Err(StoreError::Closed)));
    }
    assert_eq!(groups, expected);
    assert_eq!(*lost.lock(), leases);
}

/// Each was a group of its own: with some thousands of actors, leases ended before their turn came.
#[test]
fn leases_are_renewed_in_groups() {
    check(0, &[]);
    check(3, &[3]);
    check(TOGETHER_MAX as u64 + 1, &[TOGETHER_MAX, 1]);
}

/// An actor that does nothing.
struct Idle;

impl Actor for Idle {}

impl Dispatch for Idle {
    async fn dispatch(&mut self, _cx: Message<'_>, _route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        Ok(payload)
    }
}

/// Its turn came after it was stopped, because so many went before: others waited until the lease had ended once more.
#[tokio::test]
async fn a_lease_that_was_given_back_is_not_renewed() {
    let store = Arc::new(MemoryStore::new(Retention::default()));
    let node = Node::builder().store(Arc::clone(&store) as Arc<_>).start().expect("a node");
    let actor = node.link("test:Idle:1".parse().expect("a type"), || Idle, ActorOptions::default());
    let cell = actor.await.expect("an actor").0;
    let keeper = node.0.keeper.clone().expect("a store");
    let (actor, epoch) = cell.lease().expect("a lease");
    keeper.renew(actor, epoch, &cell).await.expect("it runs");
    node.stop(cell.id(), std::time::Duration::from_secs(1)).await.expect("it runs");
    assert_eq!(keeper.renew(actor, epoch, &cell).await, Err(StoreError::Closed));
    assert_eq!(store.actor(actor).await.expect("it is read").expect("it is there").lease.until, Time::default());
}
