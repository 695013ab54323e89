use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use playhouse_abi::native::v2::status;
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorId, HostOp, LogLevel};

use super::{BLOCK, INSTANCES, Instance, STARTED_BYTES_MAX, STARTED_MAX};
use crate::{Context, Host, HostFuture, Limits, Seed};

struct NoHost;

impl Host for NoHost {
    fn perform(&self, _: &Context, op: HostOp) -> HostFuture {
        panic!("asked for {op:?}")
    }

    fn log(&self, _: &ActorId, _: LogLevel, _: &str) {}
}

fn seed() -> Seed {
    let self_id = "1@7/acme:Echo:1.0.0".parse().unwrap();
    Seed { self_id, host: Arc::new(NoHost), limits: Arc::new(Limits::default()) }
}

fn context() -> Context {
    let Seed { self_id, host, .. } = seed();
    let request_id = "r-1".parse().unwrap();
    Context { self_id, caller: None, request_id, deadline: None, chain: CallChain::root(), host }
}

fn open(instance: &Arc<Instance>) -> u64 {
    let call = instance.announce(&context());
    instance.begin(call);
    call
}

fn start(instance: &Instance, call: u64, token: u64, len: usize) -> Result<(), i32> {
    instance.start(call, token, len, || Ok(Ok(HostOp::Now)))
}

#[test]
fn a_call_is_answered_once_and_only_while_it_is_open() {
    let registered = Instance::register(&seed());
    let instance = &registered.0;
    let first = instance.first_call();
    assert_eq!(instance.claim(first), Err(status::NO_CALL), "none is open while it is made");
    let call = open(instance);
    assert!(instance.is_open(call) && instance.is_current(call));
    assert_eq!(instance.answer(call + 1, 0, b""), Err(status::NO_CALL));
    assert_eq!(instance.answer(0, 0, b""), Err(status::NO_CALL));
    assert_eq!(instance.answer(call, 0, b"x"), Ok(()));
    assert_eq!(instance.answer(call, 0, b"y"), Err(status::NO_CALL));
    assert!(!instance.is_open(call) && instance.is_current(call));
    assert_eq!(instance.take_answer().map(|answer| answer.bytes), Some(b"x".to_vec()));
    instance.end();
    assert_eq!(start(instance, call, 1, 0), Err(status::NO_CALL));
    let next = open(instance);
    assert_ne!(next, call);
    assert_eq!(instance.claim(call), Err(status::NO_CALL));
    instance.abandon(call);
    assert!(instance.is_open(next), "another call is not touched");
    assert_eq!(instance.claim(next), Ok(()));
    let last = open(instance);
    instance.abandon(last);
    assert!(!instance.is_open(last) && !instance.is_current(last));
}

#[test]
fn instances_are_found_by_their_calls_until_they_end() {
    let registered = [Instance::register(&seed()), Instance::register(&seed())];
    let calls: Vec<_> = registered.iter().map(|one| open(&one.0)).collect();
    for (one, call) in registered.iter().zip(&calls) {
        assert!(Instance::find(*call).is_some_and(|found| Arc::ptr_eq(&found, &one.0)));
    }
    drop(registered);
    assert!(calls.iter().all(|call| Instance::find(*call).is_none()));
}

#[test]
fn numbers_are_never_used_again() {
    let registered = Instance::register(&seed());
    let instance = &registered.0;
    let last = instance.first_call() / BLOCK * BLOCK + BLOCK - 2;
    instance.run.next.store(last, Ordering::Relaxed);
    assert_eq!(open(instance), last);
    let next = open(instance);
    assert_ne!(next / BLOCK, last / BLOCK);
    assert!(Instance::find(last).is_none());
    assert!(Instance::find(next).is_some_and(|found| Arc::ptr_eq(&found, instance)));
    drop(registered);
    assert!(!INSTANCES.read().contains_key(&(next / BLOCK)));
}

#[test]
fn what_is_started_is_bounded_and_settled_once() {
    let registered = Instance::register(&seed());
    let instance = &registered.0;
    let call = open(instance);
    for token in 0..STARTED_MAX as u64 {
        assert_eq!(start(instance, call, token, 1), Ok(()));
    }
    assert_eq!(start(instance, call, 1, 1), Err(status::LIMIT));
    assert_eq!(instance.look(Waker::noop()).0.len(), STARTED_MAX);
    assert!(instance.settle(7));
    assert!(!instance.settle(7));
    assert_eq!(start(instance, call, 7, STARTED_BYTES_MAX), Err(status::LIMIT));
    assert_eq!(start(instance, call, 7, 1), Ok(()));
    assert_eq!(instance.give_up().len(), STARTED_MAX);
    assert!(instance.give_up().is_empty());
    assert!(instance.look(Waker::noop()).0.is_empty());
    assert_eq!(start(instance, call, 7, STARTED_BYTES_MAX), Ok(()));
}
