use std::sync::Arc;

use expect_test::{Expect, expect};
use playhouse_types::LogLevel;

use super::{LINE_BYTES_MAX, Lines, Log};
use crate::wasm::tests::kit::{FakeHost, self_id};
use crate::{Host, Limits, Seed};

fn log(log_bytes: usize) -> (Arc<FakeHost>, Log) {
    let host = FakeHost::echo();
    let limits = Arc::new(Limits { log_bytes, ..Limits::default() });
    let log = Log::new(&Seed { self_id: self_id(), host: Arc::clone(&host) as Arc<dyn Host>, limits });
    (host, log)
}

fn check(pieces: &[&str], expected: &Expect) {
    let (host, log) = log(1 << 20);
    let mut lines = Lines::default();
    for piece in pieces {
        lines.push(piece.as_bytes(), &log, LogLevel::Info);
    }
    lines.flush(&log, LogLevel::Warn);
    expected.assert_eq(&host.logs.lock().join("|"));
}

#[test]
fn output_becomes_lines() {
    check(&["one\ntwo\n"], &expect!["info: one|info: two"]);
    check(&["o", "ne", "\n", "two"], &expect!["info: one|warn: two"]);
    check(&["one\r\n\n", ""], &expect!["info: one|info: "]);
}

#[test]
fn long_lines_are_cut() {
    let (host, log) = log(1 << 20);
    let mut lines = Lines::default();
    lines.push(&vec![b'x'; 3 * LINE_BYTES_MAX + 5], &log, LogLevel::Info);
    lines.push(b"\n", &log, LogLevel::Info);
    let lengths: Vec<_> = host.logs.lock().iter().map(|line| line.len() - "info: ".len()).collect();
    assert_eq!(lengths, [LINE_BYTES_MAX, LINE_BYTES_MAX, LINE_BYTES_MAX, 5]);
}

#[test]
fn what_is_over_the_limit_is_dropped_and_said_once_per_event() {
    let (host, log) = log(6);
    for text in ["four", "äöü", "more"] {
        log.write(LogLevel::Info, text);
    }
    log.begin_event();
    log.write(LogLevel::Info, "again");
    expect!["info: four|info: ä|warn: log text over 6 bytes in one event was dropped|info: again"]
        .assert_eq(&host.logs.lock().join("|"));
}

/// A guest's output of line ends alone was as many lines as it liked: they cost nothing.
#[test]
fn lines_without_text_have_a_limit() {
    let (host, log) = log(3);
    let mut lines = Lines::default();
    lines.push(&[b'\n'; 10_000], &log, LogLevel::Info);
    log.write(LogLevel::Warn, "");
    expect!["info: |info: |info: |warn: log text over 3 bytes in one event was dropped"]
        .assert_eq(&host.logs.lock().join("|"));
}
