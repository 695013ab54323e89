use expect_test::{Expect, expect};

use super::{Table, clean, nearest};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&clean(text));
}

#[test]
fn strangers_words_cannot_command_a_terminal() {
    check("plain ü text\n\tindented", expect!["plain ü text\n\tindented"]);
    check("red \u{1b}[31m bell \u{7}\r", expect![[r"red \u{1b}[31m bell \u{7}\r"]]);
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

#[test]
fn a_near_miss_is_recognised() {
    assert_eq!(nearest("mailbox-ful", ["mailbox-full", "call-cycle"]), Some("mailbox-full"));
    assert_eq!(nearest("zzz", ["mailbox-full", "call-cycle"]), None);
    assert_eq!(nearest("zzz", []), None);
}
