use expect_test::{Expect, expect};

use super::Config;

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
        mailbox = { capacity = 8, full = "wait" }
        restart = { max = 3, window_ms = 1000 }
        limits = { memory_bytes = 1048576 }
    "#;
    check(
        text,
        expect![[
            r#"Config { realm: Some(7), trust: Some("trust.toml"), cache: None, policy: PolicyConfig { danger_native_in_process: true, danger_accept_any_signature: false, grants: Some([Call]) }, limits: LimitsConfig { memory_bytes: None, table_elements: None, instances: None, stack_bytes: None, cpu_ms: Some(250), wall_ms: None, host_calls: None, log_bytes: None, reply_bytes: None }, actors: [ActorConfig { package: "a.actr", grants: Some([Call, Stream]), mailbox: MailboxConfig { capacity: Some(8), full: Some(Wait) }, restart: RestartConfig { max: Some(3), window_ms: Some(1000) }, limits: LimitsConfig { memory_bytes: Some(1048576), table_elements: None, instances: None, stack_bytes: None, cpu_ms: None, wall_ms: None, host_calls: None, log_bytes: None, reply_bytes: None } }] }"#
        ]],
    );
    check(
        "",
        expect![
            "Config { realm: None, trust: None, cache: None, policy: PolicyConfig { danger_native_in_process: false, danger_accept_any_signature: false, grants: None }, limits: LimitsConfig { memory_bytes: None, table_elements: None, instances: None, stack_bytes: None, cpu_ms: None, wall_ms: None, host_calls: None, log_bytes: None, reply_bytes: None }, actors: [] }"
        ],
    );
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
        unknown variant `drop`, expected `wait` or `reject`
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
