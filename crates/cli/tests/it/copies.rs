//! Backups and what is made of them; and commands that want one store at the same time.

use std::os::unix::process::CommandExt as _;

use crate::damage::damaged;
use crate::home::{Home, Ran, Running, finish, package};

const STORE: &str = ".local/state/playhouse/nodes/default/store";

/// A user whose ledger has booked 42, and has ended.
fn booked() -> Home {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm")]);
    home.run(&["call", "Ledger", "Book", "--json", r#"{"amount":42}"#]).exits(0);
    home.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"x"}"#]).exits(0);
    end(&home, node);
    home
}

fn end(home: &Home, mut node: Running) {
    home.run(&["stop", "--all"]).exits(0);
    node.wait();
}

fn said(ran: &Ran) -> String {
    let error = &ran.json()["error"];
    format!("{}: {} / {}", ran.error(), error["message"].as_str().unwrap(), error["fix"].as_str().unwrap())
}

/// The last good backup was replaced by a damaged one, because nothing was said.
#[test]
fn a_backup_of_a_damaged_store_says_so() {
    let home = damaged();
    let check = |to: &str| {
        let copied = home.run(&["backup", to, "--json"]).exits(1).json();
        assert_eq!((&copied["done"], &copied["damaged"]), (&"copied".into(), &1.into()), "{copied}");
    };
    check("off.db");
    let node = home.start(&[&package("counter-wasm")]);
    check("on.db");
    let text = home.run(&["backup", "text.db"]).exits(1).out;
    assert!(text.contains("damaged 1 record,"), "{text}");
    node.kill();
    let restored = home.run(&["restore", "on.db", "--store", "r", "--json"]).exits(1).json();
    assert_eq!((&restored["done"], &restored["damaged"]), (&"restored".into(), &1.into()), "{restored}");
    home.run(&["fsck", "--store", "r"]).exits(1);
}

/// The place of the loss itself was refused, with the advice to use `restore`.
#[test]
fn a_store_that_lost_its_database_is_restored_where_it_was() {
    let home = booked();
    home.run(&["backup", "copy.db"]).exits(0);
    let database = home.path(STORE).join("playhouse.db");
    std::fs::remove_file(&database).unwrap();
    for args in [&["run", &package("ledger-wasm"), "--json"][..], &["store", "info", "--json"]] {
        let refused = home.run(args).exits(1);
        assert!(said(&refused).contains("has lost its database") && !database.exists(), "{refused:?}");
    }
    home.run(&["restore", "copy.db"]).exits(0);
    let node = home.start(&[&package("ledger-wasm")]);
    assert_eq!(home.run(&["call", "Ledger", "Sum"]).exits(0).json()["sum"], "42");
    end(&home, node);
    // Elsewhere it needs its key.
    let elsewhere = home.run(&["restore", "copy.db", "--store", "elsewhere"]).exits(0).out;
    assert!(elsewhere.contains("need master key"), "{elsewhere}");
}

#[test]
fn what_is_no_backup_is_named_and_leaves_nothing_behind() {
    let home = booked();
    home.run(&["backup", "copy.db"]).exits(0);
    let mut bytes = std::fs::read(home.path("copy.db")).unwrap();
    bytes.truncate(bytes.len() / 2);
    home.write("cut.db", bytes);
    let actr = package("echo-wasm");
    for (file, words) in
        [(&*actr, "echo-wasm.actr is no backup of a store"), ("cut.db", "the backup is damaged: cut.db")]
    {
        let refused = home.run(&["restore", file, "--store", "r", "--json"]).exits(1);
        assert!(said(&refused).contains(words) && !home.path("r").exists(), "{refused:?}");
    }
    std::fs::create_dir(home.path("full")).unwrap();
    home.write("full/thesis", "");
    let refused = home.run(&["restore", "copy.db", "--store", "full", "--json"]).exits(1);
    assert!(said(&refused).contains("a folder of its own"), "{refused:?}");
    assert_eq!(std::fs::read_dir(home.path("full")).unwrap().count(), 1);
    // One that anybody may enter is closed, as a node closes it.
    std::fs::create_dir(home.path("empty")).unwrap();
    home.run(&["restore", "copy.db", "--store", "empty"]).exits(0);
    home.run(&["fsck", "--store", "empty"]).exits(0);
}

/// Commands that only looked kept each other out, and a node from starting.
#[test]
fn commands_wait_for_each_other() {
    let home = booked();
    std::thread::scope(|scope| {
        let looking: Vec<_> = (0..6).map(|_| scope.spawn(|| home.run(&["state", "get", "Ledger", "sum"]))).collect();
        let checking = scope.spawn(|| home.run(&["fsck"]));
        let node = home.start(&[&package("ledger-wasm"), "--node", "other", "--store", STORE]);
        for command in looking.into_iter().chain([checking]) {
            let ran = command.join().unwrap();
            // Those that came after the node hear that it has the store.
            assert!(ran.code == 0 || ran.err.contains("(playhouse run)"), "{ran:?}");
        }
        node.kill();
    });
    home.run(&["fsck"]).exits(0);
}

/// It was said not to be there.
#[test]
fn a_store_that_may_not_be_entered_is_not_absent() {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI must run as root, so that there is another user");
        eprintln!("SKIPPED: only root can be somebody else");
        return;
    }
    let home = booked();
    let program = home.path("playhouse");
    std::fs::copy(env!("CARGO_BIN_EXE_playhouse"), &program).unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    mode(&home.path(""), 0o711);
    mode(&program, 0o755);
    let mut command = std::process::Command::new(&program);
    command.args(["state", "scan", "Ledger", "--json", "--store"]).arg(home.path(STORE)).env_clear();
    let refused = finish(command.env("HOME", "/nonexistent").current_dir("/").uid(65534).gid(65534)).exits(1);
    assert_eq!(refused.json()["error"]["kind"], "permission-denied", "{refused:?}");
}
