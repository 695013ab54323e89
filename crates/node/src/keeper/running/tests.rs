use std::path::Path;

use expect_test::{Expect, expect};
use playhouse_store::{ActorKey, Position, Priority, RUNNING_FILE, Time};

use super::Running;
use crate::cell::Stored;

/// What the words stand for: an actor, and a message or a timer of it.
fn job(words: &str) -> (ActorKey, Stored) {
    let words: Vec<_> = words.splitn(4, ' ').collect();
    let actor = ActorKey::from_number(words[0].parse().unwrap());
    let number = words[2].parse().unwrap();
    let stored = match words[1] {
        "signal" => Stored::Message(Position { priority: Priority::Signal, seq: number }),
        "normal" => Stored::Message(Position { priority: Priority::Normal, seq: number }),
        _ => Stored::Timer { name: words[3].to_owned(), due: Time::from_millis(number) },
    };
    (actor, stored)
}

/// Begins (`+`) and ends (`-`) in one process after the other, which are separated by `killed`. What is known of actor 7 in the end, and
/// how many lines the file has.
fn check(folder: &Path, steps: &[&str], expected: &Expect) {
    let mut running = Running::open(folder).unwrap();
    for step in steps {
        match step.split_once(' ') {
            Some(("+", words)) => running.begin(job(words).0, &job(words).1),
            Some(("-", words)) => running.end(job(words).0, &job(words).1),
            _ => running = Running::open(folder).unwrap(),
        }
    }
    let mut known: Vec<_> = running.of(ActorKey::from_number(7)).iter().map(|known| format!("{known:?}")).collect();
    known.sort_unstable();
    let lines = std::fs::metadata(folder.join(RUNNING_FILE)).unwrap().len().div_ceil(super::LINE_BYTES as u64);
    expected.assert_eq(&format!("{} in {lines} lines", known.join(", ")));
}

fn check_new(steps: &[&str], expected: &Expect) {
    check(tempfile::tempdir().unwrap().path(), steps, expected);
}

#[test]
fn what_came_to_its_end_is_not_known() {
    check_new(&["killed"], &expect![" in 0 lines"]);
    check_new(&["+ 7 normal 1", "- 7 normal 1", "+ 7 normal 2", "- 7 normal 2", "killed"], &expect![" in 1 lines"]);
    check_new(&["- 7 normal 1", "killed"], &expect![" in 0 lines"]);
}

#[test]
fn what_did_not_is_counted() {
    check_new(
        &["+ 7 normal 1", "+ 8 normal 2", "killed", "killed"],
        &expect!["(Message(Position { priority: Normal, seq: 1 }), 1) in 2 lines"],
    );
    check_new(
        &["+ 7 normal 1", "killed", "+ 7 signal 2", "- 7 signal 2", "+ 7 normal 1", "killed"],
        &expect!["(Message(Position { priority: Normal, seq: 1 }), 2) in 2 lines"],
    );
    check_new(&["+ 7 normal 1", "killed", "+ 7 normal 1", "- 7 normal 1", "killed"], &expect![" in 1 lines"]);
}

#[test]
fn timers_are_known_by_name_and_time() {
    let longest = "n".repeat(128);
    check_new(
        &[
            "+ 7 timer 5 two words",
            "+ 7 timer 6 two words",
            &format!("+ 7 timer {} {longest}", u64::MAX),
            "killed",
            "- 7 timer 5 two words",
        ],
        &expect![[
            r#"(Timer { name: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", due: Time(9223372036854775807) }, 1), (Timer { name: "two words", due: Time(6) }, 1) in 3 lines"#
        ]],
    );
}

/// Names were padded by characters, so that those of other alphabets reached into the next line, and blanks at their end were lost.
#[test]
fn names_are_kept_byte_by_byte() {
    let longest = "ä".repeat(64);
    check_new(
        &[&format!("+ 7 timer 5 {longest}"), "+ 7 normal 1", &format!("+ 7 timer 5 {longest}"), "killed"],
        &expect![[
            r#"(Message(Position { priority: Normal, seq: 1 }), 1), (Timer { name: "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää", due: Time(5) }, 2) in 2 lines"#
        ]],
    );
    check_new(
        &["+ 7 timer 5 blank ", "+ 7 timer 5 blank", "killed"],
        &expect![[
            r#"(Timer { name: "blank ", due: Time(5) }, 1), (Timer { name: "blank", due: Time(5) }, 1) in 2 lines"#
        ]],
    );
}

#[test]
fn damage_blames_nobody() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b"\xff\xfe"[..], b"7 1 normal x", b"7 1", b"7 1 timer 5 9 short", b"no numbers at all"] {
        std::fs::write(folder.path().join(RUNNING_FILE), bytes).unwrap();
        check(
            folder.path(),
            &["+ 7 normal 3", "killed"],
            &expect!["(Message(Position { priority: Normal, seq: 3 }), 1) in 1 lines"],
        );
    }
    std::fs::create_dir(folder.path().join("d")).unwrap();
    std::fs::create_dir(folder.path().join("d").join(RUNNING_FILE)).unwrap();
    assert!(Running::open(&folder.path().join("d")).is_none());
}
