//! What a guest in our own process can do to it. Each test runs itself again as a process of its own, which the guest ends:
//! nothing of this is contained, and the tests say so. The one about heap overflows also shows that the sanitizer of the
//! `asan` step is really there.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use crate::support::{FakeHost, Guest, library, text};

const VICTIM: &str = "PLAYHOUSE_VICTIM";

fn has_sanitizer() -> bool {
    std::env::var_os("PLAYHOUSE_ASAN").is_some()
}

/// Runs the test with that name again, where it has the guest handle a request; nothing if there is no compiler.
fn victim(test: &str, guest: &str, route: &str) -> Option<Output> {
    let library = library(guest, &[])?;
    if std::env::var_os(VICTIM).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let guest = Guest::new(library, FakeHost::silent()).await;
            println!("the process lives: {}", text(&guest.request(route, b"").await));
        });
        std::process::exit(0);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(VICTIM, "1");
    Some(command.output().unwrap())
}

/// How a process ends: by a code, or by a signal.
type End = (Option<i32>, Option<i32>);

/// Checks how the victim ended and what it said; with the sanitizer, that this said so.
fn check(output: Option<Output>, end: End, says: &str, sanitizer_says: &str) {
    let Some(output) = output else { return };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    // The sanitizer ends the process with 1 where it finds something, and leaves the rest alone.
    let (end, says) =
        if has_sanitizer() && !sanitizer_says.is_empty() { ((Some(1), None), sanitizer_says) } else { (end, says) };
    assert!(text.contains(says), "no `{says}` in: {text}");
    assert_eq!((output.status.code(), output.status.signal()), end, "{text}");
}

const ABORTED: End = (None, Some(6));

#[test]
fn an_overflow_is_found_only_by_the_sanitizer() {
    let output = victim("fatal::an_overflow_is_found_only_by_the_sanitizer", "rude", "overflow");
    check(output, (Some(0), None), "the process lives", "AddressSanitizer: heap-buffer-overflow");
}

#[cfg(target_env = "gnu")]
#[test]
fn a_double_free_ends_the_process() {
    let output = victim("fatal::a_double_free_ends_the_process", "rude", "double-free");
    check(output, ABORTED, "double free", "AddressSanitizer: attempting double-free");
}

#[test]
fn a_wild_pointer_ends_the_process() {
    let output = victim("fatal::a_wild_pointer_ends_the_process", "rude", "segv");
    check(output, (None, Some(11)), "", "AddressSanitizer: SEGV");
}

#[test]
fn an_abort_ends_the_process() {
    check(victim("fatal::an_abort_ends_the_process", "rude", "abort"), ABORTED, "", "");
}

#[test]
fn an_exit_ends_the_process() {
    check(victim("fatal::an_exit_ends_the_process", "rude", "exit"), (Some(7), None), "", "");
}

/// Not undefined behaviour: the functions of guests are declared as what may unwind, and the runtime refuses to go on.
#[test]
fn an_exception_ends_the_process() {
    let output = victim("fatal::an_exception_ends_the_process", "throws", "any");
    // The sanitizer knows exceptions only where the program itself is linked with C++, and ends the process for that.
    check(output, ABORTED, "Rust cannot catch foreign exceptions", "real___cxa_throw");
}
