use std::os::unix::fs::PermissionsExt;

use crate::home::{Home, package};

const KEY: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

#[test]
fn keys_are_added_shown_and_revoked() {
    let home = Home::new();
    assert!(home.run(&["trust", "show"]).exits(0).out.contains("nobody is trusted"));
    home.run(&["trust", "add", "acme", KEY, "--not-after", "2199-12-31"]).exits(0);
    home.run(&["trust", "add", "old", KEY, "--not-after", "2020-01-01"]).exits(0);
    let shown = home.run(&["trust", "show", "--json"]).exits(0).json();
    assert_eq!(shown["keys"][0]["manufacturer"], "acme");
    assert_eq!(shown["keys"][0]["state"], "trusted");
    assert_eq!(shown["keys"][0]["not_after"], "2199-12-31T00:00:00Z");
    assert_eq!(shown["keys"][1]["state"], "expired");
    home.run(&["trust", "revoke", "mfr-56475aa75463474c"]).exits(0);
    assert_eq!(home.run(&["trust", "show", "--json"]).json()["keys"][0]["state"], "revoked");
    assert_eq!(home.run(&["trust", "add", "acme", KEY, "--json"]).exits(3).error(), "trust-revoked-key");
}

#[test]
fn comments_of_the_operator_stay() {
    let home = Home::new();
    let file = home.write("site.toml", "# reviewed by the board\nrevoked_keys = []\n");
    home.run(&["trust", "add", "acme", KEY, "--trust", &file]).exits(0);
    home.run(&["trust", "minimum", "acme:Echo:1.2.0", "--trust", &file]).exits(0);
    assert_eq!(
        home.run(&["trust", "minimum", "acme:Echo:1.1.0", "--trust", &file, "--json"]).exits(3).error(),
        "trust-rollback"
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("# reviewed by the board") && text.contains(KEY) && text.contains("1.2.0"), "{text}");
    assert!(!home.path(".config/playhouse/trust.toml").exists());
}

#[test]
fn wrong_input_is_named() {
    let home = Home::new();
    for (args, exit, code) in [
        (&["trust", "add", "acme", "not-a-key", "--json"][..], 2, "usage"),
        (&["trust", "add", "acme", KEY, "--not-after", "soon", "--json"], 2, "usage"),
        (&["trust", "add", "-bad-", KEY, "--json"], 2, "usage"),
        (&["trust", "revoke", "--package", "abc", "--json"], 2, "usage"),
        (&["trust", "show", "--trust", "nowhere.toml", "--json"], 1, "trust-policy"),
    ] {
        assert_eq!(home.run(args).exits(exit).error(), code, "{args:?}");
    }
    let broken = home.write("broken.toml", "revoked_kyes = []\n");
    let ran = home.run(&["package", "verify", &package("echo-wasm"), "--trust", &broken, "--json"]).exits(1);
    assert_eq!(ran.error(), "trust-policy");
    assert!(ran.out.contains("revoked_kyes"), "{}", ran.out);
}

#[test]
fn a_file_that_others_may_write_decides_nothing() {
    let home = Home::new();
    let file = home.write("loose.toml", "");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(home.run(&["trust", "show", "--trust", &file, "--json"]).exits(1).error(), "trust-policy");
}

/// The key of the samples was trusted for good: nothing warned of its private half, and nothing took it back.
#[test]
fn a_key_that_anybody_may_have_is_warned_of_and_removed() {
    let home = Home::new();
    let file = crate::home::guests("fixture-key.json");
    let added = home.run(&["trust", "add", "playhouse-demo", &file]).exits(0);
    assert!(added.err.contains("whoever can read that file can sign as playhouse-demo"), "{added:?}");
    let over = home.run(&["trust", "add", "playhouse-demo", &file, "--not-after", "2020-01-01"]).exits(0);
    assert!(over.err.contains("time is over"), "{over:?}");
    home.run(&["trust", "remove", &file, "--manufacturer", "other"]).exits(1);
    home.run(&["trust", "remove", &file]).exits(0);
    assert_eq!(home.run(&["trust", "remove", &file, "--json"]).exits(1).error(), "not-stored");
    assert_eq!(home.run(&["trust", "show", "--json"]).exits(0).json()["keys"], serde_json::json!([]));
    home.run(&["trust", "add", "playhouse-demo", &file]).exits(0);
}
