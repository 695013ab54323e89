use std::os::unix::fs::PermissionsExt;

use crate::home::{Home, finish};

/// The example of the specification, with its key id.
const ACTR_KEY: &str = r#"{"private_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","public_key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=","created_at":"2026-01-01T00:00:00+00:00","note":"example"}"#;

#[test]
fn a_new_key_is_sealed_and_private() {
    let home = Home::new();
    let made =
        finish(home.command(&["key", "new", "--json"]).env("PLAYHOUSE_PASSPHRASE", "a long passphrase")).exits(0);
    let path = home.path(".config/playhouse/key.json");
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("playhouse_sealed_key") && !text.contains("private_key"));
    let shown = home.run(&["key", "show", "--json"]).exits(0);
    assert_eq!(shown.json(), made.json());
    assert_eq!(shown.json()["private"], "sealed");
    // What is shown is a public key file.
    let public = home.write("public.json", &shown.out);
    home.run(&["trust", "add", "me", &public]).exits(0);
}

#[test]
fn a_key_is_never_overwritten() {
    let home = Home::new();
    home.run(&["key", "new", "--insecure-plain", "--out", "k.json"]).exits(0);
    let before = std::fs::read(home.path("k.json")).unwrap();
    let again = home.run(&["key", "new", "--insecure-plain", "--out", "k.json", "--json"]).exits(1);
    assert_eq!(again.error(), "key-file");
    assert_eq!(std::fs::read(home.path("k.json")).unwrap(), before);
}

#[test]
fn keys_of_actr_are_imported_and_open_with_the_right_secret_only() {
    let home = Home::new();
    let source = home.write("actr.json", ACTR_KEY);
    let right = home.write("right", "correct horse battery staple\nsecond line\n");
    let wrong = home.write("wrong", "incorrect horse\n");
    let imported = home.run(&["key", "import", &source, "--passphrase-file", &right, "--json"]).exits(0);
    assert_eq!(imported.json()["key_id"], "mfr-56475aa75463474c");
    assert!(imported.err.contains("still holds the private key in the clear"));
    home.write("a.wasm", b"\0asm\x0d\0\x01\0");
    let build = |secret: &[&str]| {
        let args =
            ["package", "build", "--manufacturer=a", "--name=B", "--version=1", "--binary=a.wasm", "--json", "--force"];
        home.run(&[&args[..], secret].concat())
    };
    assert_eq!(build(&["--passphrase-file", &right]).exits(0).json()["signed_by"], "mfr-56475aa75463474c");
    assert_eq!(build(&["--passphrase-file", &wrong]).exits(1).error(), "key-passphrase");
    assert_eq!(build(&["--secret-file", &right]).exits(1).error(), "key-passphrase");
}

#[test]
fn short_secrets_and_wrong_files_are_refused() {
    let home = Home::new();
    let short = home.write("short", "pw");
    assert_eq!(home.run(&["key", "new", "--passphrase-file", &short, "--json"]).exits(1).error(), "key-passphrase");
    let bytes = home.write("secret", [7; 64]);
    home.run(&["key", "new", "--secret-file", &bytes]).exits(0);
    for (name, content) in [("empty", ""), ("json", "{}"), ("public", r#"{"public_key":"AAAA"}"#)] {
        let file = home.write(name, content);
        assert_eq!(home.run(&["key", "show", &file, "--json"]).exits(1).error(), "key-file", "{name}");
    }
    let public = home.write("pub", r#"{"public_key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}"#);
    assert_eq!(home.run(&["key", "import", &public, "--json"]).exits(1).error(), "key-file");
    assert_eq!(home.run(&["key", "show", "nowhere.json", "--json"]).exits(1).error(), "key-file");
}

#[test]
fn no_output_shows_a_private_key() {
    let home = Home::new();
    let file = home.write("actr.json", ACTR_KEY);
    for args in [&["key", "show", &file][..], &["key", "show", &file, "--json"], &["trust", "add", "a", &file]] {
        let ran = home.run(args).exits(0);
        assert!(!ran.out.contains("AAECAwQF") && !ran.err.contains("AAECAwQF"), "{ran:?}");
    }
}
