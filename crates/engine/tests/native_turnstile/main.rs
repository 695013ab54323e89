//! The two sides of the native engine's turnstile in every interleaving of up to two preemptions, by loom. The files under test are the engine's own;
//! loom's types stand in for those of `sync`, and see every access to a slot or a waker that is not ordered.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a model stops at the first surprise")]

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;

#[path = "../../src/native/lane.rs"]
mod lane;
#[path = "../../src/native/turnstile.rs"]
mod turnstile;

use lane::Taken;
use turnstile::turnstile;

mod sync {
    pub(super) use loom::cell::UnsafeCell;
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::atomic::{AtomicU8, Ordering};
}

type Near = turnstile::Near<u32, u32>;
type Far = turnstile::Far<u32, u32>;

/// Every interleaving with at most two preemptions, which is where bugs of two threads show; all of them take hours.
fn model(body: impl Fn(Near, Far) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let (near, far) = turnstile();
        body(near, far);
    });
}

fn send(near: &mut Near, number: u32) {
    *near.sheet().unwrap() = number;
    near.send();
}

fn answer(far: &mut Far, number: u32) {
    *far.sheet().unwrap() = number;
    far.answer();
}

fn await_answer(near: &mut Near) -> Option<u32> {
    block_on(poll_fn(|cx| near.poll(cx).map(|up| up.copied())))
}

fn receive(far: &mut Far) -> Option<u32> {
    block_on(poll_fn(|cx| far.poll(cx).map(|down| down.copied())))
}

/// Looks twice before it sleeps.
fn look_and_receive(far: &mut Far) -> Option<u32> {
    for _ in 0..2 {
        match far.try_receive() {
            Ok(down) => return Some(*down),
            Err(Taken::End) => return None,
            Err(_) => {}
        }
    }
    receive(far)
}

/// Two events one after the other: no message is lost, doubled or reordered, and nobody sleeps for ever.
#[test]
fn messages_alternate() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            let mut seen = Vec::new();
            while let Some(message) = receive(&mut far) {
                seen.push(message);
                answer(&mut far, message + 10);
            }
            seen
        });
        for number in 1..=2 {
            send(&mut near, number);
            assert!(near.sheet().is_none());
            assert_eq!(await_answer(&mut near), Some(number + 10));
        }
        drop(near);
        assert_eq!(guest.join().unwrap(), [1, 2]);
    });
}

/// A guest that looks before it sleeps, and one that asks something in the middle of its event.
#[test]
fn an_operation_in_the_middle() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            assert_eq!(look_and_receive(&mut far), Some(1));
            answer(&mut far, 2);
            assert!(far.sheet().is_none());
            assert_eq!(look_and_receive(&mut far), Some(3));
            answer(&mut far, 4);
        });
        send(&mut near, 1);
        assert_eq!(await_answer(&mut near), Some(2));
        send(&mut near, 3);
        assert_eq!(await_answer(&mut near), Some(4));
        guest.join().unwrap();
    });
}

/// Exactly one side gets a message that is taken back while the other side may take it.
#[test]
fn a_message_taken_back() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || receive(&mut far));
        send(&mut near, 1);
        let is_back = near.take_back();
        assert_eq!(near.sheet().is_some(), is_back);
        drop(near);
        let taken = guest.join().unwrap();
        assert!(is_back || taken.is_none() || taken == Some(1));
        assert!(!(is_back && taken.is_some()), "both sides have the message");
    });
}

/// A message that was taken back makes room for another.
#[test]
fn another_message_instead() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            let message = receive(&mut far).unwrap();
            answer(&mut far, message + 10);
            message
        });
        send(&mut near, 1);
        let is_back = near.take_back();
        if is_back {
            send(&mut near, 2);
        }
        let expected = if is_back { 2 } else { 1 };
        assert_eq!(await_answer(&mut near), Some(expected + 10));
        assert_eq!(guest.join().unwrap(), expected);
    });
}

/// The end of the guest's thread is heard, before or after the near side begins to wait, and ends all sending.
#[test]
fn the_far_side_ends() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            let _ = receive(&mut far);
        });
        send(&mut near, 1);
        assert_eq!(await_answer(&mut near), None);
        guest.join().unwrap();
        assert!(near.sheet().is_none());
        assert_eq!(near.try_take(), Err(Taken::End));
    });
}

/// An answer given just before the end is not lost.
#[test]
fn an_answer_outlives_its_giver() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            if let Some(message) = receive(&mut far) {
                answer(&mut far, message + 10);
            }
        });
        send(&mut near, 1);
        assert_eq!(await_answer(&mut near), Some(11));
        send(&mut near, 2);
        assert_eq!(await_answer(&mut near), None);
        guest.join().unwrap();
    });
}

/// A guest that waits for the reply to an operation of a run that is given up finds the end.
#[test]
fn the_near_side_gives_up() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            if receive(&mut far).is_some() {
                answer(&mut far, 2);
                assert_eq!(receive(&mut far), None);
                // What it does afterwards reaches nobody.
                answer_if_asked(&mut far);
                assert_eq!(receive(&mut far), None);
            }
        });
        send(&mut near, 1);
        drop(near);
        guest.join().unwrap();
    });
}

fn answer_if_asked(far: &mut Far) {
    assert!(far.sheet().is_none());
    far.answer();
}

/// A run moves from one task to another between two polls, while the answer comes: the last waker is called.
#[test]
fn the_waker_changes() {
    model(|mut near, mut far| {
        let guest = thread::spawn(move || {
            let message = receive(&mut far).unwrap();
            answer(&mut far, message + 10);
        });
        send(&mut near, 1);
        let early = near.poll(&mut Context::from_waker(Waker::noop())).map(|up| up.copied());
        let answer = match early {
            Poll::Ready(answer) => answer,
            Poll::Pending => await_answer(&mut near),
        };
        assert_eq!(answer, Some(11));
        guest.join().unwrap();
    });
}
