use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use parking_lot::Mutex;
use playhouse_store::Done;

use super::*;

/// A store that answers when nothing more comes. How many leases it had to renew in each group.
fn check(leases: u64, expected: &[usize]) {
    let asked: Arc<Mutex<Vec<Done<()>>>> = Arc::default();
    let submit = |_| {
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
