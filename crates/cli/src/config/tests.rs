use std::num::NonZero;

use expect_test::{Expect, expect};

use playhouse_node::Grant;

use super::{Config, SecretSource, WhenFull};

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
        grants = ["call", "state"]
        concurrency = "keyed=sender"
        mailbox = { capacity = 8, full = "wait" }
        restart = { max = 3, window_ms = 1000 }
        limits = { memory_bytes = 1048576 }
    "#;
    let config = Config::parse(text).unwrap();
    assert_eq!((config.realm, config.limits.cpu_ms.map(NonZero::get)), (Some(7), Some(250)));
    assert!(config.policy.danger_native_in_process && !config.policy.danger_accept_any_signature);
    assert_eq!(config.policy.grants, Some(vec![super::Grant(Grant::Call)]));
    let actor = &config.actors[0];
    assert_eq!(actor.grants, Some(vec![super::Grant(Grant::Call), super::Grant(Grant::State)]));
    assert_eq!((actor.mailbox.capacity.map(NonZero::get), actor.mailbox.full), (Some(8), Some(WhenFull::Wait)));
    assert_eq!((actor.restart.max, actor.restart.window_ms), (Some(3), Some(1000)));
    assert_eq!(
        (actor.limits.memory_bytes.map(NonZero::get), actor.concurrency.as_deref()),
        (Some(1 << 20), Some("keyed=sender"))
    );
    assert!(Config::parse("").unwrap().actors.is_empty());
}

#[test]
fn mistakes_are_pointed_at() {
    check(
        "[limits]\nwall_ms = 0",
        expect![[r#"
        TOML parse error at line 2, column 11
          |
        2 | wall_ms = 0
          |           ^
        invalid value: integer `0`, expected a nonzero u64
    "#]],
    );
    check(
        "[[actor]]\npackage = \"a\"\nmailbox = { capacity = 0 }",
        expect![[r#"
        TOML parse error at line 3, column 24
          |
        3 | mailbox = { capacity = 0 }
          |                        ^
        invalid value: integer `0`, expected a nonzero usize
    "#]],
    );
    check(
        "relm = 1",
        expect![[r#"
        TOML parse error at line 1, column 1
          |
        1 | relm = 1
          | ^^^^
        unknown field `relm`, expected one of `realm`, `trust`, `cache`, `store`, `durability`, `master_key_file`, `master_key_in_keyring`, `config`, `secrets`, `policy`, `limits`, `actor`
    "#]],
    );
    check(
        "[[actor]]\ngrants = [\"fly\"]\npackage = \"a\"",
        expect![[r#"
            TOML parse error at line 2, column 10
              |
            2 | grants = ["fly"]
              |          ^^^^^^^
            unknown grant "fly", expected one of `call`, `tell`, `discover`, `stream`, `state`, `timers`, `crypto`, `config`, `secrets`, `random`, `clock`
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
fn what_is_kept_and_given() {
    let text = r#"
        store = "data"
        durability = "fsync"
        master_key_file = "master"
        [config]
        retries = 3
        [secrets]
        db = { env = "DB_PASSWORD" }
        [[actor]]
        package = "a.actr"
        instance = "main"
        durability = { tells = "memory", routes = { "a.B.C" = "quorum" } }
        quota = { state_bytes = 1024 }
        passivate_after = "10m"
        config = { greeting = "hi" }
        secrets = { db = { shared = true }, own = { file = "own" } }
    "#;
    let config = Config::parse(text).unwrap();
    assert_eq!(config.store.unwrap().to_string(), "data");
    assert_eq!(config.config["retries"].0, "3");
    assert_eq!(config.secrets["db"], SecretSource::Env("DB_PASSWORD".to_owned()));
    let all = config.durability.unwrap();
    assert_eq!((all.tells, all.effects), (super::Class::parse("fsync").ok(), super::Class::parse("fsync").ok()));
    let actor = &config.actors[0];
    assert_eq!((actor.instance.as_deref(), actor.quota.state_bytes), (Some("main"), Some(1024)));
    assert_eq!(actor.passivate_after.unwrap().0.as_secs(), 600);
    let own = actor.durability.as_ref().unwrap();
    assert_eq!((own.tells, own.effects, own.routes.len()), (super::Class::parse("memory").ok(), None, 1));
    assert_eq!((&actor.secrets["db"], &actor.config["greeting"].0[..]), (&SecretSource::Shared, "hi"));
    for wrong in [
        "durability = \"disk\"",
        "durability = 1",
        "durability = { calls = \"fsync\" }",
        "durability = { routes = { \"\" = \"fsync\" } }",
        "config = { a = [1] }",
        "[[actor]]\npackage = \"a\"\npassivate_after = \"soon\"",
        "[[actor]]\npackage = \"a\"\nquota = { state = 1 }",
    ] {
        assert!(Config::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("playhouse.toml");
    std::fs::write(&file, "trust = \"t\"\nstore = \"s\"\nmaster_key_file = \"m\"\nsecrets = { x = { file = \"x\" } }\n[[actor]]\npackage = \"sub/a.actr\"\n[[actor]]\npackage = \"/b.actr\"")
        .unwrap();
    let config = Config::read(&file).unwrap();
    assert_eq!(config.trust.unwrap(), dir.path().join("t"));
    assert_eq!(config.store.unwrap(), crate::store::location::Location::Folder(dir.path().join("s")));
    assert_eq!(config.master_key_file.unwrap(), dir.path().join("m"));
    assert_eq!(config.secrets["x"], SecretSource::File(dir.path().join("x")));
    let packages: Vec<_> = config.actors.iter().map(|actor| actor.package.clone()).collect();
    assert_eq!(packages, [dir.path().join("sub/a.actr"), "/b.actr".into()]);
    assert!(Config::read(&dir.path().join("none")).is_err());
}
