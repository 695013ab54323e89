use expect_test::{Expect, expect};

use super::{Name, check_distinct};
use crate::path::EntryPath;

fn check(names: &[&str], expected: &Expect) {
    let name = |text: &&str| {
        let path = EntryPath::parse(text.trim_end_matches('/')).expect("path");
        Name { folded: path.folded(), path, is_directory: text.ends_with('/') }
    };
    let shown =
        check_distinct(names.iter().map(name).collect()).map_or_else(|e| e.to_string(), |()| "distinct".to_owned());
    expected.assert_eq(&shown);
}

#[test]
fn names_that_can_be_confused() {
    check(&[], &expect!["distinct"]);
    check(&["a", "a-b", "a.b", "b/a", "b/b/c", "b/", "b/b/"], &expect!["distinct"]);
    check(&["a", "b", "a"], &expect![[r#"two entries are named "a""#]]);
    check(&["b/x/", "b/x/"], &expect![[r#"two entries are named "b/x""#]]);
    check(&["a/b", "a-b", "a"], &expect![[r#""a" is a file and a directory"#]]);
    check(&["a/b/c", "a/b", "a/b.c"], &expect![[r#""a/b" is a file and a directory"#]]);
    check(&["a", "a/"], &expect![[r#""a" is a file and a directory"#]]);
    check(&["x/y/z", "x/Y/w"], &expect![[r#"entries "x/Y" and "x/y" differ only in case"#]]);
    check(&["x/y/z", "X/y/z"], &expect![[r#"entries "x" and "X" differ only in case"#]]);
    check(&["straße/a", "STRASSE/b"], &expect![[r#"entries "straße" and "STRASSE" differ only in case"#]]);
}

/// 2000 deep paths once took a gigabyte: every parent of every path was kept.
#[test]
fn deep_names_take_little() {
    let names = (0..2000).map(|n| format!("{n}/{}x", "a/".repeat(500))).collect::<Vec<_>>();
    check(&names.iter().map(String::as_str).collect::<Vec<_>>(), &expect!["distinct"]);
}
