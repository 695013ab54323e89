//! The two sides of the native engine's turnstile in every interleaving of up to two preemptions, by loom. The file under test is the engine's own;
//! loom's types stand in for those of `sync`.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a model stops at the first surprise")]

use std::future::poll_fn;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

#[path = "../../src/native/turnstile.rs"]
#[expect(dead_code, reason = "the models use what they need")]
mod turnstile;

use turnstile::Turnstile;

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU8, Ordering};
    pub(super) use loom::sync::{Condvar, MutexGuard};

    pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    pub(super) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap()
    }
}

type Door = Turnstile<u32, u32>;

/// Every interleaving with at most two preemptions, which is where bugs of two threads show; all of them take hours.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(body);
}

/// Looks twice before it parks.
fn look_and_receive(door: &Door) -> Option<u32> {
    let _ = door.is_called() || door.is_called();
    door.receive()
}

fn answer_of(door: &Door) -> u32 {
    block_on(poll_fn(|cx| door.poll(cx)))
}

/// Two events one after the other: no message is lost, doubled or reordered, and nobody sleeps for ever.
#[test]
fn messages_alternate() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || {
            let mut seen = Vec::new();
            while let Some(message) = far.receive() {
                seen.push(message);
                far.answer(message + 10);
            }
            seen
        });
        for number in 1..=2 {
            assert!(door.send(number).is_ok());
            assert_eq!(answer_of(&door), number + 10);
        }
        door.close();
        assert_eq!(guest.join().unwrap(), [1, 2]);
    });
}

/// A guest that spins, and one that asks something in the middle of its event.
#[test]
fn an_operation_in_the_middle() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || {
            assert_eq!(look_and_receive(&far), Some(1));
            far.answer(2);
            assert_eq!(far.receive(), Some(3));
            far.answer(4);
        });
        assert!(door.send(1).is_ok());
        assert_eq!(answer_of(&door), 2);
        assert!(door.send(3).is_ok());
        assert_eq!(answer_of(&door), 4);
        guest.join().unwrap();
    });
}

/// Exactly one side gets a message that is taken back while the other side may take it.
#[test]
fn a_message_taken_back() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || far.receive());
        assert!(door.send(1).is_ok());
        let back = door.retract();
        door.close();
        let taken = guest.join().unwrap();
        assert!(back.is_some() || taken.is_none() || taken == Some(1));
        assert!(!(back.is_some() && taken.is_some()), "both sides have the message");
    });
}

/// The end of the guest's thread is heard, before or after the near side begins to wait, and ends all sending.
#[test]
fn the_far_side_ends() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || {
            let _ = far.receive();
            far.farewell(99);
        });
        assert!(door.send(1).is_ok());
        assert_eq!(answer_of(&door), 99);
        guest.join().unwrap();
        assert_eq!(door.send(2), Err(2));
    });
}

/// An answer given just before the end is not replaced by the farewell.
#[test]
fn an_answer_outlives_its_giver() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || {
            if let Some(message) = far.receive() {
                far.answer(message + 10);
            }
            far.farewell(99);
        });
        assert!(door.send(1).is_ok());
        assert_eq!(answer_of(&door), 11);
        guest.join().unwrap();
    });
}

/// A guest that waits for the reply to an operation of a run that is given up finds the end.
#[test]
fn the_near_side_gives_up() {
    model(|| {
        let door = Arc::new(Door::new());
        let far = Arc::clone(&door);
        let guest = thread::spawn(move || {
            if far.receive().is_some() {
                far.answer(2);
                assert_eq!(far.receive(), None);
            }
        });
        assert!(door.send(1).is_ok());
        door.close();
        guest.join().unwrap();
    });
}
