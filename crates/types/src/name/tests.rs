use super::{Name, Version};
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    let name = text.parse::<Name>().map_or_else(|e| e.to_string(), |n| n.to_string());
    let version = text.parse::<Version>().map_or_else(|e| e.to_string(), |v| v.to_string());
    expected.assert_eq(&format!("{name}\n{version}"));
}

#[test]
fn names_and_versions_have_rules() {
    check("acme", &expect![["acme\nacme"]]);
    check(
        "1.0.0",
        &expect![[r#"
        name "1.0.0" does not start with a letter
        1.0.0"#]],
    );
    check(
        "..",
        &expect![[r#"
        name ".." does not start with a letter
        version ".." consists of dots"#]],
    );
    check(
        "a/b",
        &expect![[r#"
        name "a/b" has a character other than letters, digits, '-', '_' and '.'
        version "a/b" has white space, a control character, or one of ':', '/', '\', '@'"#]],
    );
    check(
        "a..b",
        &expect![[r#"
        name "a..b" has two dots in a row
        a..b"#]],
    );
    check(
        "",
        &expect![[r#"
        name "" is empty
        version "" is empty"#]],
    );
    check(
        "ende-",
        &expect![[r#"
        name "ende-" does not end with a letter or digit
        ende-"#]],
    );
    check("über", &expect![["über\nüber"]]);
    check(
        &"a".repeat(33),
        &expect![[r#"
        name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is longer than 32 bytes
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"#]],
    );
}

#[test]
fn the_limit_itself_is_accepted() {
    assert!("a".repeat(32).parse::<Name>().is_ok());
    assert!("1".repeat(128).parse::<Version>().is_ok());
    assert!("1".repeat(129).parse::<Version>().is_err());
}
