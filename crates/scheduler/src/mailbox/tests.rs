use std::num::NonZeroU32;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{FullPolicy, Key, Mailbox, MailboxConfig, Mode, Offer, Priority, SIGNALS_RESERVED, Ticket};
use crate::internal::check_mailbox;

const SLOTS: NonZeroU32 = NonZeroU32::new(2).unwrap();

fn config(mode: Mode) -> MailboxConfig {
    MailboxConfig { capacity: 3, bytes_max: 30, mode, full: FullPolicy::Reject }
}

/// Runs words such as `n:a` (offer a normal message with key `a` and 10 bytes), `s:a` (a signal), `next`, `done` (finish the
/// one that has run longest), `back` (put it back), `try:a`, `pause`, `resume`, `drain`, and prints what each returned.
fn check(config: MailboxConfig, script: &str, expected: &Expect) {
    let mut mailbox = Mailbox::<String>::new(config);
    let mut running: Vec<(Ticket, String)> = Vec::new();
    let mut lines = String::new();
    for word in script.split_whitespace() {
        let (op, key) = word.split_once(':').unwrap_or((word, ""));
        let key = key.bytes().next().map_or(Key::NONE, |byte| Key::from_hash(u64::from(byte)));
        let result = match op {
            "try" => mailbox.try_start(key).map(|ticket| running.push((ticket, word.to_owned()))).is_some().to_string(),
            "next" => match mailbox.next() {
                Some((ticket, message)) => {
                    running.push((ticket, message.clone()));
                    message
                }
                None => "nothing".to_owned(),
            },
            "done" => mailbox.finish(running.remove(0).0).to_string(),
            "back" => {
                let (ticket, message) = running.remove(0);
                mailbox.put_back(ticket, message, Priority::Normal, 10).to_string()
            }
            "pause" => {
                mailbox.pause();
                "paused".to_owned()
            }
            "resume" => mailbox.resume().to_string(),
            "drain" => mailbox.drain().collect::<Vec<_>>().join(" "),
            _ => {
                let priority = if op.starts_with('s') { Priority::Signal } else { Priority::Normal };
                format!("{:?}", mailbox.offer(word.to_owned(), priority, key, 10))
            }
        };
        lines.push_str(&format!("{word} -> {result}\n"));
    }
    expected.assert_eq(&lines);
}

#[test]
fn serial_runs_one_at_a_time_and_signals_first() {
    check(
        config(Mode::Serial),
        "try try n1 n2 s1 next done next next done next done",
        &expect![[r#"
        try -> true
        try -> false
        n1 -> Queued { wake: false }
        n2 -> Queued { wake: false }
        s1 -> Queued { wake: false }
        next -> nothing
        done -> true
        next -> s1
        next -> nothing
        done -> true
        next -> n1
        done -> true
    "#]],
    );
}

#[test]
fn concurrent_starts_in_order_up_to_its_slots() {
    check(
        config(Mode::Concurrent(SLOTS)),
        "n1 n2 n3 next next next done next done done",
        &expect![[r#"
        n1 -> Queued { wake: true }
        n2 -> Queued { wake: true }
        n3 -> Queued { wake: true }
        next -> n1
        next -> n2
        next -> nothing
        done -> true
        next -> n3
        done -> false
        done -> false
    "#]],
    );
}

#[test]
fn keyed_passes_over_keys_that_run() {
    check(
        config(Mode::Keyed { lanes: SLOTS }),
        "try:a n1:a n2:b s1:a next next done next done done",
        &expect![[r#"
        try:a -> true
        n1:a -> Queued { wake: false }
        n2:b -> Queued { wake: true }
        s1:a -> Queued { wake: true }
        next -> n2:b
        next -> nothing
        done -> true
        next -> s1:a
        done -> false
        done -> true
    "#]],
    );
}

#[test]
fn a_paused_mailbox_takes_but_does_not_start() {
    check(
        config(Mode::Serial),
        "pause try n1 next resume next done",
        &expect![[r#"
        pause -> paused
        try -> false
        n1 -> Queued { wake: false }
        next -> nothing
        resume -> true
        next -> n1
        done -> false
    "#]],
    );
}

#[test]
fn a_message_that_is_put_back_goes_first() {
    check(
        config(Mode::Serial),
        "n1 n2 n3 next n4 pause back n5 resume next done next",
        &expect![[r#"
        n1 -> Queued { wake: true }
        n2 -> Queued { wake: true }
        n3 -> Queued { wake: true }
        next -> n1
        n4 -> Queued { wake: false }
        pause -> paused
        back -> false
        n5 -> Full("n5")
        resume -> true
        next -> n1
        done -> true
        next -> n2
    "#]],
    );
    check(
        config(Mode::Keyed { lanes: SLOTS }),
        "n1:a n2:a n3:b next next back next done next",
        &expect![[r#"
        n1:a -> Queued { wake: true }
        n2:a -> Queued { wake: true }
        n3:b -> Queued { wake: true }
        next -> n1:a
        next -> n3:b
        back -> true
        next -> n1:a
        done -> false
        next -> nothing
    "#]],
    );
}

#[test]
fn draining_gives_everything_back_but_not_what_runs() {
    check(
        config(Mode::Serial),
        "try n1 s1 n2 drain next done try",
        &expect![[r#"
        try -> true
        n1 -> Queued { wake: false }
        s1 -> Queued { wake: false }
        n2 -> Queued { wake: false }
        drain -> s1 n1 n2
        next -> nothing
        done -> false
        try -> true
    "#]],
    );
    check(
        config(Mode::Keyed { lanes: SLOTS }),
        "try:a n1:a s1:b n2:c drain next done try:a",
        &expect![[r#"
        try:a -> true
        n1:a -> Queued { wake: false }
        s1:b -> Queued { wake: true }
        n2:c -> Queued { wake: true }
        drain -> s1:b n1:a n2:c
        next -> nothing
        done -> false
        try:a -> true
    "#]],
    );
}

#[test]
fn a_full_mailbox_rejects_or_sheds_the_oldest() {
    check(
        config(Mode::Serial),
        "try n1 n2 n3 n4 s1",
        &expect![[r#"
        try -> true
        n1 -> Queued { wake: false }
        n2 -> Queued { wake: false }
        n3 -> Queued { wake: false }
        n4 -> Full("n4")
        s1 -> Queued { wake: false }
    "#]],
    );
    let shed = MailboxConfig { full: FullPolicy::Shed, ..config(Mode::Serial) };
    check(
        shed,
        "try n1 s1 n2 n3 n4",
        &expect![[r#"
            try -> true
            n1 -> Queued { wake: false }
            s1 -> Queued { wake: false }
            n2 -> Queued { wake: false }
            n3 -> Queued { wake: false }
            n4 -> Shed { dropped: ["n1"], wake: false }
        "#]],
    );
    let shed = MailboxConfig { full: FullPolicy::Shed, ..config(Mode::Keyed { lanes: SLOTS }) };
    check(
        shed,
        "try:a n1:a n2:a n3:a n4:b next",
        &expect![[r#"
        try:a -> true
        n1:a -> Queued { wake: false }
        n2:a -> Queued { wake: false }
        n3:a -> Queued { wake: false }
        n4:b -> Shed { dropped: ["n1:a"], wake: true }
        next -> n4:b
    "#]],
    );
}

#[test]
fn signals_have_a_bounded_reserve() {
    let mut mailbox = Mailbox::new(config(Mode::Serial));
    let offered =
        (0..1000).filter(|_| matches!(mailbox.offer((), Priority::Normal, Key::NONE, 1), Offer::Queued { .. }));
    assert_eq!(offered.count(), 3);
    let mut signal = || matches!(mailbox.offer((), Priority::Signal, Key::NONE, 1), Offer::Queued { .. });
    assert_eq!((0..1000).filter(|_| signal()).count(), SIGNALS_RESERVED);
}

#[test]
fn an_empty_mailbox_takes_one_message_of_any_size() {
    let mut mailbox = Mailbox::new(config(Mode::Serial));
    assert_eq!(mailbox.offer(1, Priority::Normal, Key::NONE, 1000), Offer::Queued { wake: true });
    assert_eq!(mailbox.offer(2, Priority::Normal, Key::NONE, 1), Offer::Full(2));
    assert_eq!(mailbox.bytes(), 1000);
}

/// 100 k actors, each with a mailbox that saw one burst, must not keep the room for it.
#[test]
fn a_burst_leaves_no_memory_behind() {
    let mut mailbox = Mailbox::new(MailboxConfig::default());
    for _ in 0..1024 {
        let _ = mailbox.offer([0_u64; 16], Priority::Normal, Key::NONE, 1);
    }
    while let Some((ticket, _)) = mailbox.next() {
        mailbox.finish(ticket);
    }
    let super::Queue::Plain(queue) = &mailbox.queue else { panic!("not plain") };
    assert!(queue.room() <= 64, "{} kept", queue.room());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn behaves_as_its_model(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_mailbox(&bytes);
    }
}
