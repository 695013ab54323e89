use expect_test::{Expect, expect};
use playhouse_types::limits::CALL_DEPTH_MAX;
use playhouse_types::{ActorError, ActorId};

use super::{CallChain, ChainError};

fn actor(letter: char) -> ActorId {
    format!("{:x}@1/t:{letter}:1", u32::from(letter)).parse().expect("a test id")
}

/// Whether the last letter may be called by the chain of the others.
fn check(letters: &str, expected: &Expect) {
    let mut letters: Vec<char> = letters.chars().collect();
    let callee = actor(letters.pop().expect("a callee"));
    let chain = letters.iter().try_fold(CallChain::root(), |chain, letter| chain.extend(&actor(*letter)));
    let outcome = chain.and_then(|chain| chain.check(&callee));
    expected.assert_eq(&outcome.map_or_else(|error| ActorError::from(error).to_text(), |()| "allowed".to_owned()));
}

#[test]
fn a_call_may_not_come_back() {
    check("a", &expect!["allowed"]);
    check("ab", &expect!["allowed"]);
    check("abcd", &expect!["allowed"]);
    check("aa", &expect!["invalid argument: the call would wait for itself: 61@1/t:a:1 -> 61@1/t:a:1 [call-cycle]"]);
    check(
        "abca",
        &expect![
            "invalid argument: the call would wait for itself: 61@1/t:a:1 -> 62@1/t:b:1 -> 63@1/t:c:1 -> 61@1/t:a:1 [call-cycle]"
        ],
    );
    check(
        "abcdc",
        &expect![
            "invalid argument: the call would wait for itself: 63@1/t:c:1 -> 64@1/t:d:1 -> 63@1/t:c:1 [call-cycle]"
        ],
    );
}

#[test]
fn a_chain_has_an_end() {
    let step = |chain: CallChain, n: usize| chain.extend(&format!("{n:x}@1/t:x:1").parse().expect("a test id"));
    let chain = (0..CALL_DEPTH_MAX).try_fold(CallChain::root(), step).expect("as deep as allowed");
    assert_eq!(chain.depth(), CALL_DEPTH_MAX);
    assert_eq!(chain.actors().count(), CALL_DEPTH_MAX);
    let error = step(chain, CALL_DEPTH_MAX).expect_err("one too deep");
    assert_eq!(error, ChainError::TooDeep);
    expect!["invalid argument: 64 actors wait for each other already [call-depth]"]
        .assert_eq(&ActorError::from(error).to_text());
}

#[test]
fn branches_of_a_chain_do_not_see_each_other() {
    let root = CallChain::root().extend(&actor('a')).expect("short");
    let (left, right) = (root.extend(&actor('b')).expect("short"), root.extend(&actor('c')).expect("short"));
    assert!(left.check(&actor('c')).is_ok() && right.check(&actor('b')).is_ok());
    assert!(left.check(&actor('a')).is_err() && right.check(&actor('a')).is_err());
    assert_eq!(root.depth(), 1);
}

/// An actor that gave a call up used to be refused the later calls of whoever was still busy with it.
#[test]
fn who_gave_up_is_in_no_cycle() {
    let a = CallChain::root().extend(&actor('a')).expect("short");
    let through_b = a.extend(&actor('b')).expect("short");
    assert!(through_b.check(&actor('a')).is_err());
    a.end_wait();
    assert!(through_b.check(&actor('a')).is_ok() && through_b.check(&actor('b')).is_err());
    assert_eq!((through_b.depth(), through_b.actors().count()), (2, 1));
    CallChain::root().end_wait();
}
