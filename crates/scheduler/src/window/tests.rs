use expect_test::{Expect, expect};
use playhouse_types::PayloadClass;
use proptest::prelude::*;

use super::{Credit, StreamWindow, WindowConfig};

const LIMITS: WindowConfig = WindowConfig { chunks_max: 3, bytes_max: 100 };

/// Sends chunks: `r40` reliable with 40 bytes, `l40` latency-first; `-40` says that one was handled.
fn check(script: &str, expected: &Expect) {
    let mut window = StreamWindow::new(LIMITS);
    let mut answers = Vec::new();
    for word in script.split(' ') {
        let (op, bytes) = word.split_at(1);
        let bytes = bytes.parse().expect("a number");
        match op {
            "r" => answers.push(window.admit(PayloadClass::StreamReliable, bytes)),
            "l" => answers.push(window.admit(PayloadClass::StreamLatencyFirst, bytes)),
            _ => window.release(bytes),
        }
    }
    expected.assert_eq(&format!(
        "{answers:?}; {} chunks, {} bytes, {} dropped",
        window.chunks(),
        window.bytes(),
        window.dropped()
    ));
}

#[test]
fn a_reliable_sender_waits() {
    check("r1 r1 r1 r1 -1 r1", &expect!["[Granted, Granted, Granted, Wait, Granted]; 3 chunks, 3 bytes, 0 dropped"]);
    check("r60 r60 -60 r60", &expect!["[Granted, Wait, Granted]; 1 chunks, 60 bytes, 0 dropped"]);
}

#[test]
fn a_latency_first_sender_loses_the_newest() {
    check(
        "l1 l1 l1 l1 l1 -1 l1",
        &expect!["[Granted, Granted, Granted, Dropped, Dropped, Granted]; 3 chunks, 3 bytes, 2 dropped"],
    );
}

#[test]
fn one_chunk_of_any_size_gets_through() {
    check("r1000 r1 -1000 r1", &expect!["[Granted, Wait, Granted]; 1 chunks, 1 bytes, 0 dropped"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_under_way_is_bounded(sizes in prop::collection::vec((0_usize..120, any::<bool>()), 0..100)) {
        let mut window = StreamWindow::new(LIMITS);
        let mut granted = std::collections::VecDeque::new();
        for (bytes, handle) in sizes {
            if window.admit(PayloadClass::StreamReliable, bytes) == Credit::Granted {
                granted.push_back(bytes);
            }
            prop_assert_eq!(window.chunks() as usize, granted.len());
            prop_assert_eq!(window.bytes(), granted.iter().sum::<usize>());
            prop_assert!(window.chunks() <= 3 && (window.bytes() <= 100 || window.chunks() == 1));
            if handle && let Some(bytes) = granted.pop_front() {
                window.release(bytes);
            }
        }
    }
}
