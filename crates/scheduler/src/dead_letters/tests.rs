use std::time::Instant;

use expect_test::{Expect, expect};
use playhouse_types::{ActorError, ErrorKind};
use proptest::prelude::*;

use super::{DeadLetter, DeadLetters};

fn letter(bytes: usize) -> DeadLetter<usize> {
    DeadLetter { at: Instant::now(), cause: ActorError::new(ErrorKind::Internal, "trapped"), bytes, message: bytes }
}

/// Pushes letters of these sizes into a box for 3 letters and 100 bytes, and shows what is left as `id:bytes`.
fn check(sizes: &[usize], expected: &Expect) {
    let mut letters = DeadLetters::new(3, 100);
    for size in sizes {
        letters.push(letter(*size));
    }
    let left: Vec<_> = letters.list().map(|(id, letter)| format!("{id}:{}", letter.message)).collect();
    expected.assert_eq(&format!("{}; {} bytes, {} dropped", left.join(" "), letters.bytes(), letters.dropped()));
}

#[test]
fn the_oldest_make_room() {
    check(&[], &expect!["; 0 bytes, 0 dropped"]);
    check(&[1, 2, 3], &expect!["1:1 2:2 3:3; 6 bytes, 0 dropped"]);
    check(&[1, 2, 3, 4], &expect!["2:2 3:3 4:4; 9 bytes, 1 dropped"]);
    check(&[40, 40, 90], &expect!["3:90; 90 bytes, 2 dropped"]);
    check(&[40, 101, 40], &expect!["1:40 2:40; 80 bytes, 1 dropped"]);
}

#[test]
fn a_letter_is_taken_once() {
    let mut letters = DeadLetters::new(3, 100);
    let id = letters.push(letter(7)).expect("it fits");
    assert_eq!(letters.get(id).map(|letter| letter.cause.message().to_owned()).as_deref(), Some("trapped"));
    assert_eq!(letters.take(id).map(|letter| letter.message), Some(7));
    assert!(letters.take(id).is_none() && letters.get(id).is_none() && letters.is_empty());
    assert_eq!((letters.bytes(), letters.dropped()), (0, 0), "taking is not dropping");
    let next = letters.push(letter(7)).expect("it fits");
    assert_ne!(id, next);
    assert_eq!(next.to_string().parse(), Ok(next));
}

#[test]
fn a_box_without_room_keeps_nothing() {
    let mut letters = DeadLetters::new(0, 100);
    assert!(letters.push(letter(1)).is_none());
    assert_eq!((letters.len(), letters.dropped()), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn limits_hold_and_every_letter_is_counted(sizes in prop::collection::vec(0_usize..150, 0..50)) {
        let mut letters = DeadLetters::new(5, 200);
        for size in &sizes {
            letters.push(letter(*size));
            prop_assert!(letters.len() <= 5 && letters.bytes() <= 200);
        }
        prop_assert_eq!(letters.len() as u64 + letters.dropped(), sizes.len() as u64);
    }
}
