use expect_test::{Expect, expect};

use super::{LOG_FIELDS_MAX, LogText};

fn check(encoded: &str, expected: &Expect) {
    let log = LogText::parse(encoded);
    expected.assert_eq(&format!("{log} | {:?}", log.fields().collect::<Vec<_>>()));
}

#[test]
fn every_text_is_read() {
    check("plain = text", &expect!["plain = text | []"]);
    check("", &expect![" | []"]);
    check("t\u{1f}a=1\u{1f}b=x y", &expect![[r#"t a=1 b="x y" | [("a", "1"), ("b", "x y")]"#]]);
    check(
        "t\u{1f}\u{1f}a\u{1f}=\u{1f}b=c=d",
        &expect![[r#"t ="" a="" ="" b="c=d" | [("", ""), ("a", ""), ("", ""), ("b", "c=d")]"#]],
    );
}

#[test]
fn fields_are_limited() {
    let many = "\u{1f}a=1".repeat(LOG_FIELDS_MAX + 5);
    assert_eq!(LogText::parse(&many).fields().count(), LOG_FIELDS_MAX);
    let many = (0..LOG_FIELDS_MAX + 5).fold(LogText::new(""), |log, number| log.with("n", number));
    assert_eq!(many.fields().count(), LOG_FIELDS_MAX);
}

#[test]
fn what_was_given_is_read() {
    for (text, name, value) in [("t", "n", "v"), ("a\u{1f}b=c", "a b\u{1f}=", "x\u{1f}y=z\n"), ("", "", "")] {
        let log = LogText::new(text).with(name, value);
        assert_eq!(LogText::parse(&log.encode()), log);
        assert_eq!(log.fields().count(), 1);
    }
}
