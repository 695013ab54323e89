//! Master keys: sealed ones, and changes that are interrupted.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::home::{Home, Ran, Running, finish, package};

const PASSPHRASE: &str = "a long passphrase";

/// A user who trusts the test packages and knows the passphrase.
struct User(Home);

impl User {
    fn new() -> Self {
        let home = Home::new();
        home.trust_fixtures();
        Self(home)
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(self.0.command(args).env("PLAYHOUSE_PASSPHRASE", PASSPHRASE))
    }

    fn start(&self, args: &[&str]) -> Running {
        let ledger = package("ledger-wasm");
        let args = [&["run", "--json", &ledger], args].concat();
        let mut node = Running::start(self.0.command(&args).env("PLAYHOUSE_PASSPHRASE", PASSPHRASE));
        let ready = node.event("ready");
        assert_eq!(ready["event"], "ready", "{ready}");
        node
    }

    fn keep(&self, text: &str) {
        self.run(&["call", "Ledger", "Keep", "--json", &format!("{{\"text\":{text:?}}}")]).exits(0);
    }

    fn recall(&self) -> String {
        self.run(&["call", "Ledger", "Recall"]).exits(0).json()["text"].as_str().unwrap().to_owned()
    }

    fn stop(&self, node: Running) {
        self.run(&["stop", "--all"]).exits(0);
        drop(node);
    }
}

#[test]
fn a_master_key_is_sealed_by_a_passphrase() {
    let user = User::new();
    let made = user.run(&["key", "new", "--master", "--out", "master.json", "--json"]).exits(0).json();
    assert_eq!(made["key"], "sealed");
    let text = std::fs::read_to_string(user.0.path("master.json")).unwrap();
    assert!(text.contains(made["master"].as_str().unwrap()) && text.contains("playhouse_sealed_master_key"), "{text}");
    let node = user.start(&["--master-key-file", "master.json"]);
    user.keep("x");
    assert!(!user.0.path(".local/state/playhouse/nodes/default/store/master-key").exists());
    user.stop(node);

    let run = |passphrase: &str| {
        let args = ["run", "--json", &package("ledger-wasm"), "--master-key-file", "master.json"];
        finish(user.0.command(&args).env("PLAYHOUSE_PASSPHRASE", passphrase))
    };
    let wrong = run("another passphrase").exits(1);
    assert_eq!(wrong.error(), "key-passphrase");
    assert!(wrong.out.contains("master.json") && !wrong.out.contains("another passphrase"), "{}", wrong.out);
    // Nobody to ask, and nothing said.
    let unsaid = user.0.run(&["run", "--json", &package("ledger-wasm"), "--master-key-file", "master.json"]).exits(1);
    assert_eq!(unsaid.error(), "key-passphrase");
    assert!(unsaid.out.contains("--passphrase-file"), "{}", unsaid.out);

    // Its follower is sealed as well, by the same passphrase.
    user.run(&["key", "rotate", "--master", "--master-key-file", "master.json"]).exits(0);
    let follower = std::fs::read_to_string(user.0.path("master.json")).unwrap();
    assert!(follower != text && follower.contains("playhouse_sealed_master_key"), "{follower}");
    let passphrase = user.0.write("passphrase", format!("{PASSPHRASE}\n"));
    let _node = user.start(&["--master-key-file", "master.json", "--passphrase-file", &passphrase]);
    assert_eq!(user.recall(), "x");
}

#[test]
fn a_master_key_in_the_clear_is_sealed_afterwards() {
    let user = User::new();
    let node = user.start(&[]);
    user.keep("x");
    user.stop(node);
    let plain = user.0.path(".local/state/playhouse/nodes/default/store/master-key");
    let plain_text = plain.display().to_string();
    assert_eq!(user.run(&["key", "import", "--master", &plain_text, "--json"]).exits(2).error(), "usage");
    user.run(&["key", "import", "--master", &plain_text, "--out", "master.json"]).exits(0);
    std::fs::remove_file(&plain).unwrap();
    // Without it no other one is made, which would open nothing.
    let missing = user.run(&["run", "--json", &package("ledger-wasm")]).exits(1);
    assert_eq!(missing.error(), "key-master-missing");
    assert!(!plain.exists());
    let _node = user.start(&["--master-key-file", "master.json"]);
    assert_eq!(user.recall(), "x");
    // What is sealed is not sealed again, and what is no master key is none.
    let again = ["key", "import", "--master", "master.json", "--out", "twice.json", "--json"];
    assert_eq!(user.run(&again).exits(1).error(), "key-file");
    user.0.write("thesis", "not a key");
    let none = ["key", "import", "--master", "thesis", "--out", "twice.json", "--json"];
    assert_eq!(user.run(&none).exits(1).error(), "key-file");
}

#[test]
fn without_a_keyring_a_file_is_offered() {
    let user = User::new();
    for args in [
        &["run", "--json", &package("ledger-wasm"), "--master-key-in-keyring", "x"][..],
        &[
            "run",
            "--json",
            &user.0.write(
                "node.toml",
                format!("master_key_in_keyring = \"x\"\n[[actor]]\npackage = {:?}", package("ledger-wasm")),
            ),
        ],
    ] {
        let ran = user.run(args).exits(1);
        assert_eq!(ran.error(), "key-master-missing");
        assert!(ran.out.contains("--master-key-file FILE"), "{}", ran.out);
        assert!(!user.0.path(".local/state/playhouse/nodes/default/store/master-key").exists());
    }
    let both = user.0.write("both.toml", "master_key_in_keyring = \"x\"\nmaster_key_file = \"y\"");
    assert_eq!(user.run(&["run", "--json", &both]).exits(1).error(), "config");
}

/// Begins to change the master key and ends it with kill -9, `after` the next key was written.
fn interrupted(user: &User, extra: &[&str], next: &Path, after: std::time::Duration) {
    let args = [&["key", "rotate", "--master"], extra].concat();
    let mut command = user.0.command(&args);
    let command = command.env("PLAYHOUSE_PASSPHRASE", PASSPHRASE).stdout(Stdio::null()).stderr(Stdio::null());
    let mut rotating = command.spawn().unwrap();
    while !next.exists() && rotating.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    std::thread::sleep(after);
    // It may have ended, and waits for its parent then.
    kill_process(Pid::from_child(&rotating), Signal::KILL).unwrap();
    rotating.wait().unwrap();
}

#[test]
fn a_change_of_the_master_key_is_finished_after_kill_9() {
    let user = User::new();
    let config: String = (1..=8)
        .map(|number| format!("[[actor]]\npackage = {:?}\ninstance = \"{number}\"\n", package("ledger-wasm")))
        .collect();
    let config = user.0.write("node.toml", config);
    let start = || {
        let mut node = Running::start(&mut user.0.command(&["run", "--json", &config]));
        assert_eq!(node.event("ready")["event"], "ready");
        node
    };
    let actors = || {
        let actors = user.run(&["ps", "--json"]).exits(0).json();
        let ids = actors["actors"].as_array().unwrap().iter().map(|actor| actor["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let node = start();
    for id in actors() {
        user.run(&["call", &id, "Keep", "--json", &format!("{{\"text\":{id:?}}}")]).exits(0);
    }
    user.stop(node);
    let key = user.0.path(".local/state/playhouse/nodes/default/store/master-key");
    let next = key.with_extension("next");
    let mut before = std::fs::read(&key).unwrap();
    let mut half_way = 0;
    for wait_ms in [0, 1, 3, 10, 30] {
        interrupted(&user, &[], &next, std::time::Duration::from_millis(wait_ms));
        half_way += u32::from(next.exists());
        // The store is used with both keys, whatever was sealed under which.
        let node = start();
        for id in actors() {
            let text = user.run(&["call", &id, "Recall"]).exits(0).json()["text"].clone();
            assert_eq!(text, id.as_str());
        }
        user.stop(node);
        user.run(&["key", "rotate", "--master"]).exits(0);
        assert!(!next.exists());
        let now = std::fs::read(&key).unwrap();
        assert_ne!(now, before);
        before = now;
    }
    assert!(half_way > 0, "no kill came before the end");
    // The key that was in use last opens everything alone.
    let node = start();
    for id in actors() {
        user.run(&["call", &id, "Recall"]).exits(0);
    }
    user.stop(node);
}

/// Two sealed keys take a second to open, so that this kill comes before the first record is sealed anew.
#[test]
fn a_change_of_a_sealed_master_key_is_finished_after_kill_9() {
    let user = User::new();
    user.run(&["key", "new", "--master", "--out", "master.json"]).exits(0);
    let with = ["--master-key-file", "master.json"];
    let node = user.start(&with);
    user.keep("x");
    user.stop(node);
    let next = user.0.path("master.json.next");
    interrupted(&user, &with, &next, std::time::Duration::ZERO);
    assert!(next.exists(), "it was interrupted");
    let node = user.start(&with);
    assert_eq!(user.recall(), "x");
    user.stop(node);
    let rotated = user.run(&[&["key", "rotate", "--master", "--json"][..], &with].concat()).exits(0).json();
    assert_eq!(rotated["resealed"], 1, "{rotated}");
    assert!(!next.exists());
    let _node = user.start(&with);
    assert_eq!(user.recall(), "x");
}

#[test]
fn what_is_wrong_with_a_secret_or_a_key_is_named() {
    let user = User::new();
    let said = |args: &[&str], code: &str, words: &str| {
        let ran = user.0.run(&[args, &["--json"]].concat()).exits(1);
        let error = ran.json()["error"].clone();
        let text = format!("{} {}", error["message"].as_str().unwrap(), error["fix"].as_str().unwrap());
        assert!(ran.error() == code && text.contains(words), "{args:?}: {error}");
        assert_ne!(error["kind"], "permission-denied", "{error}");
    };
    user.0.write("short", "x\n");
    for master in [&["key", "new", "--out", "m.json"][..], &["key", "new", "--master", "--out", "m.json"]] {
        for secret in ["--passphrase-file", "--secret-file"] {
            said(&[master, &[secret, "short"]].concat(), "key-passphrase", "Choose a longer passphrase");
        }
    }
    said(&["key", "show"], "key-file", "playhouse key new");
    let made = user.run(&["key", "new", "--master", "--out", "master.json", "--json"]).exits(0).json();
    assert_eq!(user.run(&["key", "show", "master.json", "--json"]).exits(0).json(), made);
    let plain = user.run(&["key", "new", "--master", "--out", "plain", "--insecure-plain"]).exits(0).out;
    assert!(plain.contains("Whoever can read the file"), "{plain}");
    user.run(&["key", "new", "--out", "key.json", "--insecure-plain"]).exits(0);
    said(&["key", "import", "--master", "key.json", "--out", "x.json"], "key-file", "a key that signs packages");
}
