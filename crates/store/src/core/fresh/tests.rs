use bytes::Bytes;

use crate::model::{ActorKey, Message, MessageKind, Position, Priority, Queued, Time};

use super::{Fresh, Run, WAITING_MAX};

const ACTOR: ActorKey = ActorKey::from_number(7);

fn at(seq: u64) -> Position {
    Position { priority: Priority::Normal, seq }
}

fn queued(seq: u64) -> Queued {
    let message = Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: String::new(),
        request: None,
        route: "a.B.C".to_owned(),
        payload: Bytes::new(),
        deadline: None,
        context: Bytes::new(),
    };
    Queued { position: at(seq), at: Time::default(), attempts: 0, message }
}

/// What came before may have rows between two that were consumed, and nobody knows.
#[test]
fn only_what_came_since_is_known_to_be_alone() {
    let mut fresh = Fresh::new(3);
    for seq in 4..8 {
        fresh.add(ACTOR, &queued(seq));
    }
    fresh.waiting.remove(&(ACTOR, at(4)));
    fresh.waiting.remove(&(ACTOR, at(5)));
    let run = |first| Run { actor: ACTOR, first: at(first), last: first };
    assert!(fresh.are_neighbours(&run(4), ACTOR, at(5)));
    assert!(!fresh.are_neighbours(&run(5), ACTOR, at(7)), "6 waits");
    assert!(!fresh.are_neighbours(&run(3), ACTOR, at(4)), "3 came before");
    assert!(!fresh.are_neighbours(&run(4), ActorKey::from_number(8), at(5)), "somebody else's");
}

#[test]
fn what_is_too_much_is_forgotten_as_a_whole() {
    let mut fresh = Fresh::new(0);
    for seq in 1..=WAITING_MAX as u64 + 2 {
        fresh.add(ACTOR, &queued(seq));
    }
    let last = WAITING_MAX as u64 + 2;
    assert_eq!((fresh.since, fresh.waiting.len()), (last - 1, 1));
    let run = Run { actor: ACTOR, first: at(last - 1), last: last - 1 };
    assert!(!fresh.are_neighbours(&run, ACTOR, at(last)), "nobody knows what is before it");
}
