use std::sync::Arc;
use std::time::Duration;

use crate::core::{Flow, Ledger};
use crate::error::StoreError;
use crate::waiting::Waits;

use super::{Next, Patience, Queue, Task, UNGATHERED_MAX};

/// Longer than a test takes: who waits for all of it hangs.
const LONG: Duration = Duration::from_secs(600);

struct Write;

impl Waits for Write {
    fn flow(&self) -> Flow {
        Flow::Onward
    }

    fn bytes(&self) -> u64 {
        1
    }

    fn is_unhurried(&self) -> bool {
        false
    }
}

impl Task for Write {
    fn run(&mut self, _: &mut Ledger<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn answer(self: Box<Self>) {}

    fn fail(self: Box<Self>, _: StoreError) {}

    fn refuse(&mut self, _: StoreError) {}
}

fn group(queue: &Queue, linger: Duration) -> usize {
    match queue.next(linger) {
        Next::Write(group) => group.len(),
        Next::Close => 0,
    }
}

#[test]
fn those_who_were_answered_are_waited_for_until_all_are_back() {
    let queue = Arc::new(Queue::default());
    queue.expect(3);
    queue.push(Box::new(Write));
    let others = Arc::clone(&queue);
    let others = std::thread::spawn(move || {
        others.push(Box::new(Write));
        others.push(Box::new(Write));
    });
    assert_eq!(group(&queue, LONG), 3);
    others.join().unwrap();
}

#[test]
fn who_waits_already_is_not_waited_for() {
    let queue = Queue::default();
    queue.push(Box::new(Write));
    assert_eq!(group(&queue, LONG), 1);
    queue.push(Box::new(Write));
    queue.push(Box::new(Write));
    // Nobody was answered since.
    queue.expect(0);
    assert_eq!(group(&queue, LONG), 2);
}

/// One who does not come back is half of one, rounded down to nobody.
#[test]
fn one_who_does_not_come_back_is_noticed() {
    let queue = Queue::default();
    queue.expect(2);
    queue.push(Box::new(Write));
    assert_eq!(group(&queue, Duration::from_micros(1)), 1);
    assert!(!queue.desk.lock().patience.is_there());
}

#[test]
fn nobody_is_waited_for_by_a_store_that_closes() {
    let queue = Arc::new(Queue::default());
    queue.expect(3);
    queue.push(Box::new(Write));
    let closer = Arc::clone(&queue);
    let closer = std::thread::spawn(move || closer.close(crate::receipt::Receipt::pending().0));
    assert_eq!(group(&queue, LONG), 1);
    closer.join().unwrap();

    // It had closed before.
    let queue = Queue::default();
    queue.expect(3);
    queue.push(Box::new(Write));
    queue.close(crate::receipt::Receipt::pending().0);
    assert_eq!(group(&queue, LONG), 1);
}

#[test]
fn those_who_do_not_come_back_are_waited_for_ever_less_often() {
    let mut patience = Patience::default();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let mut pause = 0;
        while !patience.is_there() {
            pause += 1;
        }
        pauses.push(pause);
        patience.learn(false);
    }
    assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, UNGATHERED_MAX, UNGATHERED_MAX]);
    while !patience.is_there() {}
    patience.learn(true);
    assert!(patience.is_there());
}
