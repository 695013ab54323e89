use expect_test::{Expect, expect};
use playhouse_types::ActorId;

use super::{WaitId, Waits};
use crate::CallChain;

fn actor(letter: char) -> ActorId {
    format!("{:x}@1/t:{letter}:1", u32::from(letter)).parse().expect("a test id")
}

fn chain(letters: &str) -> CallChain {
    letters.chars().fold(CallChain::root(), |chain, letter| chain.extend(&actor(letter)).expect("a short chain"))
}

fn add(waits: &mut Waits, letters: &str) -> Result<WaitId, String> {
    let (last, chain_letters) =
        letters.char_indices().next_back().map(|(at, last)| (last, &letters[..at])).expect("a callee");
    waits.add(&chain(chain_letters), &actor(last)).map_err(|e| e.to_string().replace("@1/t", "").replace(":1", ""))
}

/// Adds waits in turn, `abc` being the call from `b` to `c` in the chain `a`, `b`; shows what the last of them says.
fn check(calls: &str, expected: &Expect) {
    let mut waits = Waits::new(100);
    let mut last = String::new();
    for call in calls.split(' ') {
        let before = waits.len();
        last = add(&mut waits, call).map_or_else(|error| error, |_| "waits".to_owned());
        assert_eq!(waits.len(), before + usize::from(last == "waits"), "only what waits is kept");
    }
    expected.assert_eq(&last);
}

#[test]
fn chains_that_wait_for_each_other_are_a_cycle() {
    check("ab", &expect!["waits"]);
    check("ab ba", &expect!["the call would wait for ever: 62:b -> 61:a -> 62:b"]);
    check("ab bc cd da", &expect!["the call would wait for ever: 64:d -> 61:a -> 62:b -> 63:c -> 64:d"]);
    check("ca abc", &expect!["the call would wait for ever: 61:a -> 63:c -> 61:a"]);
}

#[test]
fn waiting_for_the_same_actor_is_no_cycle() {
    check("ab cb db", &expect!["waits"]);
    check("ab bc ac dc", &expect!["waits"]);
    check("abc dbc", &expect!["waits"]);
}

#[test]
fn a_removed_wait_is_forgotten() {
    let mut waits = Waits::new(100);
    let first = add(&mut waits, "ab").expect("no cycle");
    assert!(add(&mut waits, "ba").is_err());
    waits.remove(first);
    assert!(waits.is_empty() && waits.by_waiter.is_empty());
    let second = add(&mut waits, "ba").expect("no cycle any more");
    waits.remove(second);
    assert!(waits.by_waiter.is_empty());
}

#[test]
fn requests_from_outside_wait_for_nobody() {
    let mut waits = Waits::new(100);
    let outside = waits.add(&CallChain::root(), &actor('a')).expect("no cycle");
    let inside = add(&mut waits, "ab").expect("no cycle");
    waits.remove(outside);
    waits.remove(inside);
    assert!(waits.is_empty());
}

#[test]
fn waits_beyond_the_limit_are_checked_but_not_kept() {
    let mut waits = Waits::new(1);
    let _kept = add(&mut waits, "ab").expect("no cycle");
    let unkept = add(&mut waits, "cd").expect("no cycle");
    assert_eq!(waits.len(), 1);
    assert!(add(&mut waits, "ba").is_err());
    assert!(add(&mut waits, "dc").is_ok());
    waits.remove(unkept);
    assert_eq!(waits.len(), 1);
}

/// A walk over everything that strangers can queue must end.
#[test]
fn a_walk_is_bounded() {
    let id = |n: usize| format!("{n:x}@1/t:x:1").parse::<ActorId>().expect("a test id");
    let mut waits = Waits::new(usize::MAX);
    for n in 0..super::WALK_MAX * 2 {
        let chain = CallChain::root().extend(&id(n)).expect("a short chain");
        let _ = waits.add(&chain, &id(n + 1));
    }
    let end = CallChain::root().extend(&id(super::WALK_MAX * 2)).expect("a short chain");
    assert!(waits.add(&end, &id(0)).is_ok(), "given up");
    assert!(waits.add(&end, &id(super::WALK_MAX + 2)).is_err(), "near enough to be found");
}

/// A caller that gave up used to be taken for one that waits, and calls to it were refused.
#[test]
fn who_gave_up_waits_no_more() {
    let mut waits = Waits::new(100);
    let from_a = chain("a");
    let through_b = from_a.extend(&actor('b')).expect("a short chain");
    let _ = waits.add(&through_b, &actor('c')).expect("no cycle");
    assert!(add(&mut waits, "ca").is_err() && add(&mut waits, "cb").is_err());
    from_a.end_wait();
    let _ = add(&mut waits, "ca").expect("a has gone on");
    assert!(add(&mut waits, "cb").is_err(), "b still waits");
}

/// Waits of deep chains have many edges: both are bounded.
#[test]
fn waiters_beyond_the_limit_are_checked_but_not_kept() {
    let mut waits = Waits::new(2);
    let kept = add(&mut waits, "abcdef").expect("no cycle");
    assert_eq!((waits.len(), waits.waiters), (1, 5));
    let unkept = add(&mut waits, "ghijk").expect("no cycle");
    assert_eq!((waits.len(), waits.waiters), (1, 5), "4 more would be 9, and 2 waits have room for 8");
    let small = add(&mut waits, "ghij").expect("no cycle");
    assert_eq!((waits.len(), waits.waiters), (2, 8));
    for wait in [kept, unkept, small] {
        waits.remove(wait);
    }
    assert!(waits.waiters == 0 && waits.is_empty() && waits.by_waiter.is_empty());
}

/// One actor that waits for very many others: a walk looks at each of its waits.
#[test]
fn a_walk_over_many_waits_of_one_actor_is_bounded() {
    let id = |n: usize| format!("{n:x}@1/t:x:1").parse::<ActorId>().expect("a test id");
    let mut waits = Waits::new(usize::MAX);
    let busy = CallChain::root().extend(&id(0)).expect("a short chain");
    for n in 1..super::WALK_MAX + 2 {
        let _ = waits.add(&busy, &id(n)).expect("no cycle");
    }
    let to_busy = |n| CallChain::root().extend(&id(n)).expect("a short chain");
    assert!(waits.add(&to_busy(super::WALK_MAX), &id(0)).is_err(), "the last that is looked at");
    assert!(waits.add(&to_busy(super::WALK_MAX + 1), &id(0)).is_ok(), "given up");
}
