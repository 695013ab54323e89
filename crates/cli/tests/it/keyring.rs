//! The master key in the keyring of the operating system: GNOME Keyring on a D-Bus of its own, which no session of a desktop sees.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use crate::home::{Home, Ran, Running, finish, package};

/// The password of the keyring.
const PASSWORD: &str = "keyring-canary";

/// A user with a keyring.
struct User {
    home: Home,
    bus: Child,
    address: String,
}

impl User {
    /// Nothing if there is no keyring on this machine, which on CI must not be.
    fn new() -> Option<Self> {
        let there = |program: &str| PathBuf::from("/usr/bin").join(program).exists();
        if !there("dbus-daemon") || !there("gnome-keyring-daemon") {
            assert!(std::env::var_os("CI").is_none(), "dbus and gnome-keyring are not installed");
            eprintln!("SKIPPED: dbus and gnome-keyring are not installed; `.ci/run keyring` installs them");
            return None;
        }
        let home = Home::new();
        home.trust_fixtures();
        let mut bus = Command::new("/usr/bin/dbus-daemon");
        let bus = bus.args(["--session", "--nofork", "--print-address"]).env_clear().env("HOME", home.path("."));
        let mut bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { home, bus, address: address.trim().to_owned() })
    }

    /// Starts the keyring, with its password or without.
    fn keyring(&self, password: Option<&str>) -> Keyring {
        let mut daemon = Command::new("/usr/bin/gnome-keyring-daemon");
        let how = if password.is_some() { "--unlock" } else { "--start" };
        let daemon = daemon.args(["--foreground", "--components=secrets", how]).env_clear();
        let daemon = daemon.env("HOME", self.home.path(".")).env("XDG_RUNTIME_DIR", self.home.path("."));
        let daemon = daemon.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        let mut child = daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        Keyring(child)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command(args);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.env("PLAYHOUSE_MASTER_KEY_IN_KEYRING", "staging");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    /// A node without the wasm engine, so that the program of this test is built soon.
    fn node<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        static LEDGER: LazyLock<String> = LazyLock::new(|| package("ledger-native"));
        [&["run", "--json", "--danger-native-in-process", &**LEDGER], more].concat()
    }

    fn start(&self) -> Running {
        let mut node = Running::start(&mut self.command(&self.node(&[])));
        let ready = node.event("ready");
        assert_eq!(ready["event"], "ready", "{ready}");
        node
    }

    fn stop(&self, mut node: Running) -> String {
        self.run(&["stop", "--all"]).exits(0);
        node.wait();
        node.errors()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

struct Keyring(Child);

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_master_key_is_made_used_and_changed_in_the_keyring() {
    let Some(user) = User::new() else { return };
    let keyring = user.keyring(Some(PASSWORD));
    let node = user.start();
    user.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"x"}"#]).exits(0);
    let said = user.stop(node);
    assert!(said.contains("made a master key") && said.contains("the entry \"staging\" of the keyring"), "{said}");
    let store = user.home.path(".local/state/playhouse/nodes/default/store");
    assert!(!store.join("master-key").exists());

    // It is there when the keyring has gone and come again, as after the machine was started anew.
    drop(keyring);
    let keyring = user.keyring(Some(PASSWORD));
    let rotated = user.run(&["key", "rotate", "--master", "--json"]).exits(0).json();
    assert_eq!((&rotated["resealed"], &rotated["place"]), (&1.into(), &"the entry \"staging\" of the keyring".into()));
    let node = user.start();
    assert_eq!(user.run(&["call", "Ledger", "Recall"]).exits(0).json()["text"], "x");
    assert!(!user.stop(node).contains("master key"), "no other key is made");
    let keys = user.run(&["key", "export-public", "Ledger", "--json"]).exits(0).json();
    assert_eq!(keys["keys"][0]["master"], rotated["master"]);
    // Another entry is another key, or none.
    let other = user.run(&["key", "export-public", "Ledger", "--json", "--master-key-in-keyring", "other"]).exits(1);
    assert_eq!(other.error(), "key-master-missing");
    let run = user.run(&user.node(&["--master-key-in-keyring", "other"])).exits(1);
    assert_eq!(run.error(), "key-master-missing");
    drop(keyring);
}

#[test]
fn a_keyring_that_does_not_answer_is_an_error_with_a_way_out() {
    let Some(user) = User::new() else { return };
    let keyring = user.keyring(Some(PASSWORD));
    let node = user.start();
    user.stop(node);
    drop(keyring);
    let check = |what: &str, expected: &str| {
        let ran = user.run(&user.node(&[])).exits(1);
        assert_eq!(ran.error(), "key-master-missing", "{what}");
        assert!(ran.out.contains(expected) && ran.out.contains("--master-key-file FILE"), "{what}: {}", ran.out);
    };
    let locked = user.keyring(None);
    check("nobody is there to type its password", "the keyring is locked");
    drop(locked);
}
