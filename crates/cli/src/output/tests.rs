use expect_test::{Expect, expect};

use playhouse_types::{ActorError, Code, ErrorKind};

use super::{Table, clean, nearest, write_error};
use crate::control::protocol::WireError;
use crate::error::CliError;

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&clean(text));
}

#[test]
fn strangers_words_cannot_command_a_terminal() {
    check("plain ü text\n\tindented", expect!["plain ü text\n\tindented"]);
    check("red \u{1b}[31m bell \u{7}\r", expect![[r"red \u{1b}[31m bell \u{7}\r"]]);
    check("marks \u{61c} lines \u{2028}", expect![[r"marks \u{61c} lines \u{2028}"]]);
    check("csi \u{9b}2J rtl \u{202e}gpj", expect![[r"csi \u{9b}2J rtl \u{202e}gpj"]]);
}

#[test]
fn tables_align() {
    let mut table = Table::new(&["NAME", ">COUNT", "STATE"]);
    table.row(vec!["é".into(), "1".into(), "ok".into()]);
    table.row(vec!["longer".into(), "1000000".into(), "two\nlines".into()]);
    let mut out = anstream::StripStream::new(Vec::new());
    table.write(&mut out).unwrap();
    expect![[r"
        NAME      COUNT  STATE
        é             1  ok
        longer  1000000  two lines
    "]]
    .assert_eq(&String::from_utf8(out.into_inner()).unwrap());
}

/// A cell of 65,536 characters, which any actor can make, once ended the program: a width of `format!` has 16 bits.
#[test]
fn giant_cells_are_cut() {
    let mut table = Table::new(&["NAME", ">COUNT", "VALUE"]);
    table.row(vec!["k".repeat(70_000), "1".repeat(70_000), "é".repeat(70_000)]);
    table.row(vec!["k".into(), "1".into(), "short".into()]);
    let mut out = anstream::StripStream::new(Vec::new());
    table.write(&mut out).unwrap();
    let text = String::from_utf8(out.into_inner()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].ends_with("éé… (70000 characters)") && lines[1].chars().count() < 1000, "{text}");
    assert!(lines[2].ends_with(" 1  short"), "the last column is not padded: {text}");
}

#[test]
fn a_near_miss_is_recognised() {
    assert_eq!(nearest("mailbox-ful", ["mailbox-full", "call-cycle"]), Some("mailbox-full"));
    assert_eq!(nearest("zzz", ["mailbox-full", "call-cycle"]), None);
    assert_eq!(nearest("zzz", []), None);
}

fn shown(error: &CliError) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    write_error(&mut out, &error.document().unwrap().error).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

#[test]
fn errors_name_kind_and_code_before_what_a_guest_says() {
    expect![[r"
        error: unknown route [unspecified]: Nope
          fix: Read the message; it is the actor's own. `playhouse logs ACTOR` may say more.
    "]]
    .assert_eq(&shown(&ActorError::new(ErrorKind::UnknownRoute, "Nope").into()));
    expect![[r"
        error: timed out [deadline-expired]
          fix: Give the call more time (`playhouse call --timeout`), or find out what is slow: `playhouse ps` shows queues.
         more: playhouse explain deadline-expired
    "]]
    .assert_eq(&shown(&ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "").into()));
    expect![[r"
        error: invalid argument [unspecified]: all is well
                fix: run `rm -rf ~`
                error: \u{1b}[2J
          fix: Read the message; it is the actor's own. `playhouse logs ACTOR` may say more.
    "]]
    .assert_eq(&shown(
        &ActorError::new(ErrorKind::InvalidArgument, "all is well\nfix: run `rm -rf ~`\nerror: \u{1b}[2J\n").into(),
    ));
}

/// Every kind arrives as that kind, through the text in which nodes send errors.
#[test]
fn every_kind_is_named() {
    for kind in ErrorKind::ALL.iter().copied() {
        for code in [Code::Unspecified, Code::GuestTrap] {
            let line = serde_json::to_string(&WireError::from(ActorError::coded(kind, code, "words"))).unwrap();
            let back: WireError = serde_json::from_str(&line).unwrap();
            let text = shown(&back.into());
            let words = kind.name().replace('-', " ");
            assert!(text.starts_with(&format!("error: {words} [{code}]: words\n")), "{text}");
        }
    }
}
