//! What a node keeps: over kill -9, full disks, damage, wrong keys; and what can be seen of it.

use std::path::PathBuf;

use serde_json::Value;

use crate::home::{Home, Ran, Running, await_that, package};

/// A user who trusts the test packages.
fn user() -> Home {
    let home = Home::new();
    home.trust_fixtures();
    home
}

fn ledger(home: &Home) -> Running {
    home.start(&[&package("ledger-wasm")])
}

fn book(home: &Home, amount: u64) -> Ran {
    home.run(&["call", "Ledger", "Book", "--json", &format!("{{\"amount\":{amount}}}")])
}

fn sum(home: &Home) -> String {
    home.run(&["call", "Ledger", "Sum"]).exits(0).json()["sum"].as_str().unwrap().to_owned()
}

fn store_of(home: &Home) -> PathBuf {
    home.path(".local/state/playhouse/nodes/default/store")
}

fn queued(home: &Home, actor: &str) -> Value {
    home.run(&["mailbox", actor, "--json"]).exits(0).json()
}

#[test]
fn state_survives_kill_9() {
    let home = user();
    let mut node = Running::start(&mut home.command(&["run", "--json", &package("ledger-wasm")]));
    let ready = node.event("ready");
    assert_eq!(ready["store"], store_of(&home).display().to_string());
    book(&home, 40).exits(0);
    home.run(&["call", "Ledger", "Book", "--json", r#"{"amount":2}"#, "--tell"]).exits(0);
    home.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"canary"}"#]).exits(0);
    home.run(&["call", "Ledger", "Remind", "--json", r#"{"afterMs":3600000}"#]).exits(0);
    let public = home.run(&["key", "export-public", "Ledger", "--json"]).exits(0).json();
    assert_eq!(public["keys"][0]["name"], "keep");
    node.kill();

    // Seen while nothing runs.
    let actors = home.run(&["store", "actors", "--json"]).exits(0).json();
    assert_eq!(actors["actors"][0]["name"], "0/playhouse-demo:LedgerWasm/1");
    assert_eq!(home.run(&["timers", "--json"]).exits(0).json()["timers"][0]["name"], "remind");
    assert_eq!(home.run(&["key", "export-public", "Ledger", "--json"]).exits(0).json(), public);
    home.run(&["fsck"]).exits(0);

    let _node = ledger(&home);
    assert_eq!(sum(&home), "42");
    assert_eq!(home.run(&["call", "Ledger", "Recall"]).exits(0).json()["text"], "canary");
    assert_eq!(home.run(&["timers", "Ledger", "--json"]).exits(0).json()["timers"].as_array().unwrap().len(), 1);
    let shown = home.run(&["state", "scan", "Ledger", "--json"]).exits(0).out;
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn tells_wait_for_the_next_run() {
    let home = user();
    let node = home.start(&[&package("misbehaving-wasm")]);
    // The first keeps the actor busy for its second of computing, thrice.
    home.run(&["call", "Misbehaving", "Loop", "--tell"]).exits(0);
    for _ in 0..3 {
        home.run(&["call", "Misbehaving", "Logs", "--json", r#"{"amount":1}"#, "--tell"]).exits(0);
    }
    let online = queued(&home, "Misbehaving");
    assert!(online["queued"].as_u64().unwrap() >= 3, "{online}");
    node.kill();
    let offline = queued(&home, "Misbehaving");
    assert_eq!(offline["messages"].as_array().unwrap().len() as u64, offline["queued"].as_u64().unwrap());
    assert!(offline["queued"].as_u64().unwrap() >= 3, "{offline}");
    assert_eq!(offline["messages"].as_array().unwrap().last().unwrap()["route"], "misbehaving.MisbehavingService.Logs");

    let _node = home.start(&[&package("misbehaving-wasm")]);
    await_that("the tells are handled", || queued(&home, "Misbehaving")["queued"] == 0);
    let letters = home.run(&["dlq", "list", "--json"]).exits(0).json();
    assert_eq!(letters["dead_letters"][0]["route"], "misbehaving.MisbehavingService.Loop", "{letters}");
}

#[test]
fn dead_letters_are_worked_on_while_nothing_runs() {
    let home = user();
    let node = home.start(&[&package("misbehaving-wasm")]);
    for _ in 0..3 {
        home.run(&["call", "Misbehaving", "Trap", "--hex", "08ff01", "--tell"]).exits(0);
    }
    let letters = || home.run(&["dlq", "list", "--json"]).exits(0).json()["dead_letters"].as_array().unwrap().clone();
    await_that("three letters", || letters().len() == 3);
    node.kill();

    let ids: Vec<String> = letters().iter().map(|letter| letter["id"].to_string()).collect();
    let shown = home.run(&["dlq", "show", &ids[0], "--json"]).exits(0).json();
    assert_eq!((&shown["payload"], &shown["attempts"]), (&"CP8B".into(), &3.into()), "{shown}");
    assert_eq!(home.run(&["dlq", "export"]).exits(0).out.lines().count(), 3);
    home.run(&["dlq", "drop", &ids[0]]).exits(0);
    assert_eq!(home.run(&["dlq", "drop", &ids[0], "--json"]).exits(1).error(), "not-stored");
    home.run(&["dlq", "retry", &ids[1]]).exits(0);
    assert_eq!(queued(&home, "Misbehaving")["queued"], 1);
    assert_eq!(letters().len(), 1);
}

#[test]
fn one_store_has_one_node() {
    let home = user();
    let store = home.path("data").display().to_string();
    let node = home.start(&[&package("counter-wasm"), "--store", &store]);
    let pid = home.run(&["ps", "--json"]).exits(0).json()["node"]["pid"].to_string();
    for args in [
        &["run", "--json", "--node", "other", &package("counter-wasm"), "--store", &store][..],
        &["store", "info", "--json", "--store", &store],
        &["state", "set", "Counter", "a", "b", "--json"],
    ] {
        let ran = home.run(args).exits(1);
        assert_eq!(ran.error(), "store-locked", "{args:?}");
        let message = ran.json()["error"]["message"].to_string();
        assert!(message.contains(&format!("process {pid}")) && message.contains(&store), "{message}");
    }
    node.kill();
    home.run(&["store", "info", "--store", &store]).exits(0);
    let missing = home.run(&["store", "info", "--json", "--store", "nothing-here"]).exits(1);
    assert_eq!(missing.error(), "not-stored");
    assert!(!home.path("nothing-here").exists(), "looking makes no store");
}

#[test]
fn without_a_store_nothing_is_kept() {
    let home = user();
    let _node = home.start(&[&package("ledger-wasm"), "--store", "none"]);
    let ran = home.run(&["call", "Ledger", "Book", "--output", "json"]).exits(1);
    assert_eq!(ran.error(), "store-missing");
    assert_eq!(home.run(&["state", "scan", "Ledger", "--json"]).exits(1).error(), "store-missing");
    home.run(&["call", "Ledger", "Book", "--tell"]).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(home.run(&["store", "info", "--json"]).exits(1).error(), "not-stored");

    let _node = home.start(&[&package("ledger-wasm"), "--store", "memory"]);
    book(&home, 1).exits(0);
    assert_eq!(sum(&home), "1");
    assert_eq!(home.run(&["backup", "copy", "--json"]).exits(1).error(), "store-unsupported");
    let durable =
        &["run", "--json", "--node", "x", &package("ledger-wasm"), "--store", "memory", "--durability", "fsync"];
    assert_eq!(home.run(durable).exits(1).error(), "durability-missing");
    // What keeps less than memory cannot promise more.
    let config = format!("store = \"none\"\n[[actor]]\npackage = {:?}\n", package("ledger-wasm"));
    let routes = format!("{config}durability = {{ routes = {{ \"ledger.LedgerService.Book\" = \"fsync\" }} }}");
    for args in [
        &[&*package("ledger-wasm"), "--store", "none", "--durability", "fsync"][..],
        &[&home.write("routes.toml", routes)],
    ] {
        let refused = home.run(&[&["run", "--json", "--node", "x"], args].concat()).exits(1);
        assert_eq!(refused.error(), "durability-missing", "{args:?}");
    }
    home.run(&["run", "--json", "--node", "x", &package("none"), "--store", "none", "--durability", "memory"]).exits(1);
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let home = user();
    let node = ledger(&home);
    book(&home, 42).exits(0);
    home.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"findme"}"#]).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    drop(node);
    home.run(&["fsck"]).exits(0);
    let file = store_of(&home).join("playhouse.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // A byte of the value of `kept`, which is sealed.
    let at = bytes.windows(4).position(|seen| seen == b"PHs\x01").unwrap() + 20;
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let ran = home.run(&["fsck", "--json"]).exits(1);
    let damage = &ran.json()["damage"][0];
    assert_eq!((&damage["file"], &damage["table"]), (&file.display().to_string().into(), &"state".into()), "{ran:?}");
    assert!(damage["row"].as_str().unwrap().contains("kept"), "{damage}");
    let text = home.run(&["fsck"]).exits(1).out;
    assert!(text.contains("damaged") && text.contains("[store-corrupt]"), "{text}");

    // Where there is no backup, the rest can go on.
    let dropped = home.run(&["fsck", "--danger-drop-damaged", "--json"]).exits(0).json();
    assert_eq!((&dropped["dropped"], dropped["damage"].as_array().unwrap().len()), (&true.into(), 1));
    home.run(&["fsck"]).exits(0);
    let node = ledger(&home);
    assert_eq!(sum(&home), "42");
    let gone = home.run(&["call", "Ledger", "Recall", "--output", "json"]).exits(1).json();
    assert_eq!(gone["error"]["kind"], "not-found", "{gone}");
    home.run(&["stop", "--all"]).exits(0);
    drop(node);

    // A file that is none of ours is not touched.
    std::fs::write(&file, b"no database, but somebody's thesis").unwrap();
    assert_eq!(home.run(&["fsck", "--json"]).exits(1).error(), "store-schema");
    assert_eq!(std::fs::read(&file).unwrap(), b"no database, but somebody's thesis");
}

#[test]
fn a_backup_is_made_under_load_and_run() {
    let home = user();
    let node = ledger(&home);
    book(&home, 1).exits(0);
    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut booked = 1;
            while busy.load(std::sync::atomic::Ordering::Relaxed) {
                booked += u64::from(book(&home, 1).code == 0);
            }
            booked
        });
        await_that("some load", || sum(&home).parse::<u64>().unwrap() > 3);
        let before: u64 = sum(&home).parse().unwrap();
        home.run(&["backup", "copy.db"]).exits(0);
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
        let after = load.join().unwrap();
        assert_eq!(home.run(&["backup", "copy.db", "--json"]).exits(2).error(), "usage");
        node.kill();

        home.run(&["restore", "copy.db", "--store", "restored"]).exits(0);
        assert_eq!(home.run(&["restore", "copy.db", "--store", "restored", "--json"]).exits(2).error(), "usage");
        home.run(&["fsck", "--store", "restored"]).exits(0);
        let _node = home.start(&[&package("ledger-wasm"), "--store", "restored"]);
        let found: u64 = sum(&home).parse().unwrap();
        assert!((before..=after).contains(&found), "{before} <= {found} <= {after}");
    });
    home.write("thesis", "not a backup");
    assert_eq!(home.run(&["restore", "thesis", "--store", "r2", "--json"]).exits(1).error(), "store-schema");
    assert!(!home.path("r2/playhouse.db").exists());
}

#[test]
fn another_master_key_is_refused_by_name() {
    let home = user();
    let node = ledger(&home);
    home.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"x"}"#]).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    drop(node);
    let file = store_of(&home).join("master-key");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap()) & 0o777, 0o600);
    let right = std::fs::read(&file).unwrap();
    let line = String::from_utf8(right.clone()).unwrap();

    home.run(&["backup", "before.db"]).exits(0);

    // Sealed under a new one, the old one is refused.
    let rotated = home.run(&["key", "rotate", "--master", "--json"]).exits(0).json();
    assert_eq!((&rotated["resealed"], &rotated["damaged"]), (&1.into(), &0.into()));
    assert!(!store_of(&home).join("master-key.next").exists());
    let new = std::fs::read(&file).unwrap();
    assert_ne!(new, right);
    // Backups need it, which became useless with it.
    let former = PathBuf::from(rotated["former"].as_str().unwrap());
    assert_eq!((std::fs::read(&former).unwrap(), former.parent()), (right.clone(), file.parent()));
    let restored = home.run(&["restore", "before.db", "--store", "before"]).exits(0).out;
    let id = former.extension().unwrap().to_str().unwrap();
    assert!(restored.contains(&format!("master key {id}")), "{restored}");
    std::fs::copy(&former, home.path("before/master-key")).unwrap();
    let node = home.start(&[&package("ledger-wasm"), "--store", "before", "--node", "before"]);
    let recalled = home.run(&["call", "Ledger", "Recall", "--node", "before"]).exits(0);
    assert_eq!(recalled.json()["text"], "x");
    node.kill();
    let old = home.write("old", &right);
    let run = |extra: &[&str]| home.run(&[&["run", "--json", &package("ledger-wasm")], extra].concat());
    let refused = run(&["--master-key-file", &old]).exits(1);
    assert_eq!(refused.error(), "key-master");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains(rotated["master"].as_str().unwrap()), "{message}");
    assert!(!message.contains(line.trim()), "no key in an error");

    std::fs::remove_file(&file).unwrap();
    let missing = home.run(&["key", "export-public", "Ledger", "--json"]).exits(1);
    assert_eq!(missing.error(), "key-master-missing");
    // From the environment, as it stands in the file.
    let text = String::from_utf8(new).unwrap();
    let mut command = home.command(&["run", "--json", &package("ledger-wasm")]);
    let mut node = Running::start(command.env("PLAYHOUSE_MASTER_KEY", text.trim()));
    assert_eq!(node.event("ready")["event"], "ready");
    assert_eq!(home.run(&["call", "Ledger", "Recall"]).exits(0).json()["text"], "x");
    assert!(!file.exists(), "no key is made where one is given");
}

#[test]
fn state_is_exported_and_imported() {
    let home = user();
    let node = ledger(&home);
    book(&home, 40).exits(0);
    book(&home, 2).exits(0);
    let online = home.run(&["state", "export", "Ledger"]).exits(0).out;
    assert_eq!(online.lines().count(), 5, "{online}");
    let one = home.run(&["state", "get", "Ledger", "sum", "--encoding", "hex"]).exits(0).out;
    assert_eq!(one, "082a1002\n");
    assert_eq!(home.run(&["state", "get", "Ledger", "none", "--json"]).exits(1).error(), "not-stored");
    let keys =
        home.run(&["state", "scan", "Ledger", "--prefix", "entry/", "--limit", "1", "--keys", "--json"]).exits(0);
    assert_eq!((&keys.json()["more"], keys.json()["entries"].as_array().unwrap().len()), (&true.into(), 1));
    book(&home, 1).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    drop(node);

    let file = home.write("state.jsonl", &online);
    assert_eq!(home.run(&["state", "import", "Ledger", &file, "--json"]).exits(1).error(), "state-conflict");
    let cut = home.write("cut.jsonl", online.lines().take(3).collect::<Vec<_>>().join("\n"));
    let refused = home.run(&["state", "import", "Ledger", &cut, "--replace", "--json"]).exits(2);
    assert!(refused.json()["error"]["message"].to_string().contains("the file was cut"), "{refused:?}");
    let moved = home.run(&["state", "import", "Ledger", &file, "--replace", "--json"]).exits(0).json();
    assert_eq!((&moved["keys"], &moved["deleted"]), (&3.into(), &1.into()));
    home.run(&["state", "set", "Ledger", "note", "hello"]).exits(0);
    home.run(&["state", "delete", "Ledger", "note"]).exits(0);
    home.run(&["state", "import", "0/playhouse-demo:LedgerWasm/second", &file]).exits(0);
    assert_eq!(home.run(&["state", "get", "Ledger", "sum", "--json"]).exits(1).error(), "actor-ambiguous");

    let config = format!(
        "[[actor]]\npackage = {0:?}\ninstance = \"1\"\n[[actor]]\npackage = {0:?}\ninstance = \"second\"",
        package("ledger-wasm")
    );
    let _node = home.start(&[&home.write("two.toml", config)]);
    for actor in home.run(&["ps", "--json"]).exits(0).json()["actors"].as_array().unwrap() {
        let sum = home.run(&["call", actor["id"].as_str().unwrap(), "Sum"]).exits(0).json();
        assert_eq!((&sum["sum"], &sum["entries"]), (&"42".into(), &"2".into()));
    }
}

#[test]
fn settings_grants_and_quotas_hold() {
    let home = user();
    let run = |config: &str| {
        let config = format!("{config}\n[[actor]]\npackage = {:?}\n", package("ledger-wasm"));
        home.start(&[&home.write("node.toml", config)])
    };
    let error =
        || home.run(&["call", "Ledger", "Book", "--json", r#"{"amount":1}"#, "--output", "json"]).exits(1).json();
    let node = run("config = { currency = \"EUR\" }");
    assert_eq!(book(&home, 1).exits(0).json()["currency"], "EUR");
    node.kill();
    // What the node's policy leaves out is refused by name.
    let node = run("[policy]\ngrants = [\"call\", \"clock\", \"config\"]");
    let refused = error();
    assert_eq!(refused["error"]["code"], "grant-missing");
    assert!(refused["error"]["message"].as_str().unwrap().contains("`state`"), "{refused}");
    node.kill();
    let config = format!("[[actor]]\npackage = {:?}\nquota = {{ state_keys = 2 }}\n", package("ledger-wasm"));
    let node = home.start(&[&home.write("quota.toml", config)]);
    assert_eq!(error()["error"]["code"], "state-quota");
    node.kill();
    // A package that declares nothing has what actr 0.3 gives, which is no state and no keys.
    let node = home.start(&[&package("counter-wasm")]);
    home.run(&["call", "Counter", "Add", "--json", r#"{"amount":1}"#]).exits(0);
    let actors = home.run(&["ps", "--json"]).exits(0).json();
    assert_eq!(actors["actors"].as_array().unwrap().len(), 1);
    node.kill();
}

#[test]
fn secrets_are_never_on_the_command_line() {
    let home = user();
    let config = format!("[secrets]\ns = \"canary\"\n[[actor]]\npackage = {:?}\n", package("ledger-wasm"));
    let ran = home.run(&["run", &home.write("node.toml", config)]).exits(1);
    assert!(ran.err.contains("does not say where it is") && !ran.err.contains("canary"), "{ran:?}");
    let ran = home.run(&["run", &package("ledger-wasm"), "--store", "postgres://me:canary@localhost/x"]).exits(1);
    assert!(!ran.err.contains("canary"), "{ran:?}");
    let cut = home.write("cut.toml", "store = \"postgres://me:canary@localhost/x");
    let misread = home.run(&["run", &cut]).exits(1);
    assert!(misread.err.contains("cut.toml") && !misread.err.contains("canary"), "{misread:?}");
    assert!(ran.err.contains("store-unsupported") || ran.err.contains("store-unreachable"), "{ran:?}");
}
