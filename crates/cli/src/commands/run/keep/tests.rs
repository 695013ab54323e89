use expect_test::{Expect, expect};

use super::{Owner, settings};
use crate::config::Config;

fn check(text: &str, expected: Expect) {
    let config: Config = toml::from_str(text).unwrap();
    expected.assert_eq(&match settings(&config.config, &config.secrets, Owner::Node) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => error.document().unwrap().error.message.to_owned(),
    });
}

#[test]
fn settings_and_secrets_are_gathered() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "canary\n").unwrap();
    check(
        &format!("[config]\na = 1\nb = \"x\"\n[secrets]\nf = {{ file = {file:?} }}\np = {{ env = \"PATH\" }}"),
        expect![[r#"Settings { settings: ["a", "b"], secrets: ["f", "p"], shared_secrets: {} }"#]],
    );
    assert_eq!(&**super::from_file(&file).unwrap(), b"canary");
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_not_shown() {
    for value in ["\"canary\"", "{ value = \"canary\" }", "7", "{ shared = true }"] {
        check(&format!("[secrets]\ns = {value}"), expect![[r#"the secret "s" does not say where it is"#]]);
    }
    check(
        "[secrets]\ns = { env = \"PLAYHOUSE_NOT_SET\" }",
        expect![[r#"the secret "s" is to be in the environment variable PLAYHOUSE_NOT_SET, which is not set"#]],
    );
}
