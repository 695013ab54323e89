use expect_test::{Expect, expect};

use super::{Config, Grant, WhenFull};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&match Config::parse(text) {
        Ok(config) => format!("{config:?}"),
        Err(error) => error.to_string(),
    });
}

#[test]
fn a_full_configuration() {
    let text = r#"
        realm = 7
        trust = "trust.toml"
        [policy]
        danger_native_in_process = true
        grants = ["call"]
        [limits]
        cpu_ms = 250
        [[actor]]
        package = "a.actr"
        grants = ["call", "stream"]
        concurrency = "keyed=sender"
        mailbox = { capacity = 8, full = "wait" }
        restart = { max = 3, window_ms = 1000 }
        limits = { memory_bytes = 1048576 }
    "#;
    let config = Config::parse(text).unwrap();
    assert_eq!((config.realm, config.limits.cpu_ms), (Some(7), Some(250)));
    assert!(config.policy.danger_native_in_process && !config.policy.danger_accept_any_signature);
    assert_eq!(config.policy.grants, Some(vec![Grant::Call]));
    let actor = &config.actors[0];
    assert_eq!(actor.grants, Some(vec![Grant::Call, Grant::Stream]));
    assert_eq!((actor.mailbox.capacity, actor.mailbox.full), (Some(8), Some(WhenFull::Wait)));
    assert_eq!((actor.restart.max, actor.restart.window_ms), (Some(3), Some(1000)));
    assert_eq!((actor.limits.memory_bytes, actor.concurrency.as_deref()), (Some(1 << 20), Some("keyed=sender")));
    assert!(Config::parse("").unwrap().actors.is_empty());
}

#[test]
fn mistakes_are_pointed_at() {
    check(
        "relm = 1",
        expect![[r#"
        TOML parse error at line 1, column 1
          |
        1 | relm = 1
          | ^^^^
        unknown field `relm`, expected one of `realm`, `trust`, `cache`, `policy`, `limits`, `actor`
    "#]],
    );
    check(
        "[[actor]]\ngrants = [\"fly\"]\npackage = \"a\"",
        expect![[r#"
        TOML parse error at line 2, column 11
          |
        2 | grants = ["fly"]
          |           ^^^^^
        unknown variant `fly`, expected one of `call`, `tell`, `discover`, `stream`
    "#]],
    );
    check(
        "[[actor]]\nmailbox = { full = \"drop\" }\npackage = \"a\"",
        expect![[r#"
            TOML parse error at line 2, column 20
              |
            2 | mailbox = { full = "drop" }
              |                    ^^^^^^
            unknown variant `drop`, expected one of `wait`, `reject`, `shed`
        "#]],
    );
    check(
        "[[actor]]\n",
        expect![[r#"
        TOML parse error at line 1, column 1
          |
        1 | [[actor]]
          | ^^^^^^^^^
        missing field `package`
    "#]],
    );
    check(
        "realm = -1",
        expect![[r#"
        TOML parse error at line 1, column 9
          |
        1 | realm = -1
          |         ^^
        invalid value: integer `-1`, expected u32
    "#]],
    );
}

#[test]
fn paths_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("playhouse.toml");
    std::fs::write(&file, "trust = \"t\"\n[[actor]]\npackage = \"sub/a.actr\"\n[[actor]]\npackage = \"/b.actr\"")
        .unwrap();
    let config = Config::read(&file).unwrap();
    assert_eq!(config.trust.unwrap(), dir.path().join("t"));
    let packages: Vec<_> = config.actors.iter().map(|actor| actor.package.clone()).collect();
    assert_eq!(packages, [dir.path().join("sub/a.actr"), "/b.actr".into()]);
    assert!(Config::read(&dir.path().join("none")).is_err());
}
