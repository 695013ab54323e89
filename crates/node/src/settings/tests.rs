use expect_test::{Expect, expect};
use playhouse_types::Label;

use super::{NodeSettings, SETTING_BYTES_MAX, SETTINGS_MAX, Settings, SettingsError};

fn label(name: &str) -> Label {
    name.parse().unwrap()
}

fn node() -> Settings {
    let plain = Settings::default().with("greeting", "hello").unwrap().with("colour", "red").unwrap();
    plain.with_secret("password", b"node".to_vec()).unwrap().with_secret("token", b"t".to_vec()).unwrap()
}

/// What an actor with these settings sees on the node, by name.
fn seen(own: Settings) -> String {
    match NodeSettings::from(node()).seen_with(&own) {
        Ok(seen) => {
            let text = |value: Option<bytes::Bytes>| value.map(|value| String::from_utf8(value.to_vec()).unwrap());
            let names = ["greeting", "colour", "password", "token", "own"].map(label);
            let config = names.clone().map(|name| text(seen.config(&name)).unwrap_or_default());
            let secrets = names.map(|name| text(seen.secret(&name)).unwrap_or_default());
            format!("{} | {}", config.join(","), secrets.join(","))
        }
        Err(error) => format!("{error} [{}]", error.code()),
    }
}

#[test]
fn secrets_exist_only_for_whom_they_were_given_to() {
    let check = |own: Result<Settings, SettingsError>, expected: Expect| expected.assert_eq(&seen(own.unwrap()));
    let own = Settings::default();
    check(Ok(own.clone()), expect!["hello,red,,, | ,,,,"]);
    check(own.clone().with("greeting", "hi"), expect!["hi,red,,, | ,,,,"]);
    check(own.clone().with("password", "no secret"), expect!["hello,red,no secret,, | ,,,,"]);
    check(own.clone().shared_secret("token"), expect!["hello,red,,, | ,,,t,"]);
    check(own.clone().with_secret("own", b"o".to_vec()), expect!["hello,red,,, | ,,,,o"]);
    let both = own.clone().with_secret("password", b"mine".to_vec()).and_then(|own| own.shared_secret("password"));
    check(both, expect!["hello,red,,, | ,,mine,,"]);
    check(
        own.shared_secret("other"),
        expect![[r#"the actor is to have the node's secret "other", and the node has none of that name [config]"#]],
    );
}

#[test]
fn settings_are_bounded() {
    let check = |outcome: Result<Settings, SettingsError>, expected: Expect| {
        expected.assert_eq(&outcome.unwrap_err().to_string());
    };
    let own = Settings::default();
    let large = vec![b'x'; SETTING_BYTES_MAX + 1];
    check(own.clone().with("k", large.clone()), expect![[r#""k" has 65537 bytes, the limit is 65536"#]]);
    check(own.clone().with_secret("k", large.clone()), expect![[r#""k" has 65537 bytes, the limit is 65536"#]]);
    assert!(own.clone().with_secret("k", large[1..].to_vec()).is_ok());
    check(own.clone().with("", ""), expect![[r#"a setting or secret cannot be named so: label "" is empty"#]]);
    let full = (0..SETTINGS_MAX).try_fold(own, |own, number| match number % 3 {
        0 => own.with(&number.to_string(), ""),
        1 => own.with_secret(&number.to_string(), Vec::new()),
        _ => own.shared_secret(&number.to_string()),
    });
    check(full.unwrap().with("one more", ""), expect!["there are more than 1024 settings and secrets"]);
}

#[test]
fn debug_output_has_names_and_no_values() {
    let own = node().shared_secret("shared").unwrap();
    let shown = format!("{own:?} {:?}", NodeSettings::from(own.clone()));
    expect![[
        r#"Settings { settings: ["colour", "greeting"], secrets: ["password", "token"], shared_secrets: {"shared"} }"#
    ]]
    .assert_eq(&format!("{own:?}"));
    assert!(!shown.contains("hello") && !shown.contains("node\""), "{shown}");
}

#[test]
fn equal_settings_are_equal() {
    assert_eq!(node(), node());
    assert_ne!(node(), node().with_secret("password", b"edon".to_vec()).unwrap());
    assert_ne!(node(), Settings::default());
}

/// Answers to actors share the one copy that is wiped in the end.
#[test]
fn secrets_are_not_copied() {
    let own = node();
    let (a, b) = (own.secret(&label("password")).unwrap(), own.secret(&label("password")).unwrap());
    assert_eq!(a.as_ptr(), b.as_ptr());
}
