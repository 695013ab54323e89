//! What is typed wrong at the commands for stores, and what they say then.

use crate::home::{Home, package};

/// Codes, exit codes and words of what is said.
fn check(home: &Home, args: &[&str], exit: i32, code: &str, words: &[&str]) {
    let ran = home.run(&[args, &["--json"]].concat()).exits(exit);
    assert_eq!(ran.error(), code, "{args:?}");
    let error = &ran.json()["error"];
    let said = format!("{} {}", error["message"].as_str().unwrap(), error["fix"].as_str().unwrap());
    for word in words {
        assert!(said.contains(word), "{args:?}: {said}");
    }
}

#[test]
fn wrong_files_are_named_for_what_they_are() {
    let home = Home::new();
    home.trust_fixtures();
    std::fs::create_dir(home.path("folder")).unwrap();
    home.write("empty", "");
    let node = home.start(&[&package("ledger-wasm")]);
    home.run(&["backup", "copy.db"]).exits(0);
    let check = |args: &[&str], exit, code, words: &[&str]| check(&home, args, exit, code, words);
    check(&["backup", "no/copy.db"], 2, "usage", &["there is no folder", "Make the folder"]);
    check(&["backup", "folder"], 2, "usage", &["exists"]);
    check(&["restore", "folder", "--store", "s"], 1, "not-stored", &["cannot read folder", "Name a file."]);
    check(&["restore", "nothing", "--store", "s"], 1, "not-stored", &["cannot read nothing"]);
    for empty in ["empty", "/dev/null"] {
        check(&["restore", empty, "--store", "s"], 1, "store-schema", &[empty, "it is no backup"]);
    }
    assert!(!home.path("s").exists(), "nothing is made of what is no backup");
    check(&["restore", "copy.db", "--store", "empty"], 2, "usage", &["empty exists", "A store is a folder"]);
    check(
        &["store", "info", "--store", "copy.db"],
        1,
        "not-stored",
        &["copy.db is a file", "playhouse restore copy.db"],
    );
    check(&["state", "export", "Ledger", "--out", "copy.db"], 2, "usage", &["copy.db", "Name another file"]);
    check(&["state", "import", "Ledger", "folder"], 2, "usage", &["cannot read folder", "Name a file."]);
    check(&["state", "get", "Ledger", "zz", "--key-encoding", "hex"], 2, "usage", &["\"zz\"", "--key-encoding"]);
    // What needs the store alone says so.
    for args in
        [&["state", "set", "Ledger", "a", "b"][..], &["key", "rotate", "--master"], &["fsck", "--danger-drop-damaged"]]
    {
        check(args, 1, "store-locked", &["only while no node has the store open"]);
    }
    check(&["key", "rotate"], 2, "usage", &["--master", "--actor"]);
    // Online and offline the same.
    let letters = || {
        for command in ["show", "drop", "retry"] {
            check(&["dlq", command, "5"], 1, "not-stored", &["there is no dead letter 5", "playhouse dlq list"]);
        }
        assert_eq!(home.run(&["state", "scan", "Ledger"]).exits(0).out, "no keys\n");
        assert_eq!(home.run(&["timers"]).exits(0).out, "no timers\n");
    };
    letters();
    node.kill();
    letters();
}

/// What a scan showed of a key meant another one when it was typed: paging went in circles, and `delete` said that it had deleted.
#[test]
fn keys_are_typed_as_they_are_shown() {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm")]);
    for amount in ["1", "2", "3"] {
        home.run(&["call", "Ledger", "Book", "--json", &format!("{{\"amount\":{amount}}}")]).exits(0);
    }
    let first = home.run(&["state", "scan", "Ledger", "--limit", "2"]).exits(0).out;
    let hint = first.lines().last().unwrap().to_owned();
    assert!(hint.starts_with(r"there are more: --after 'entry/\x00\x00") && first.lines().count() == 4, "{first}");
    let after = hint.split('\'').nth(1).unwrap();
    let rest = home.run(&["state", "scan", "Ledger", "--after", after, "--limit", "2", "--json"]).exits(0).json();
    assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["more"]), (2, &false.into()), "{rest}");
    home.run(&["state", "get", "Ledger", after]).exits(0);
    node.kill();

    home.run(&["state", "set", "Ledger", r"\xff", "one"]).exits(0);
    home.run(&["state", "set", "Ledger", "0xff", "two", "--key-encoding", "text"]).exits(0);
    assert_eq!(home.run(&["state", "get", "Ledger", "ff", "--key-encoding", "hex"]).exits(0).out, "one\n");
    let written = home.run(&["state", "set", "Ledger", "a b", "12345", "--json"]).exits(0).json();
    assert_eq!((&written["key"], &written["bytes"]), (&"a b".into(), &5.into()));
    let wrong = home.run(&["state", "set", "Ledger", r"a\b", "x", "--json"]).exits(2);
    assert!(wrong.json()["error"]["message"].as_str().unwrap().contains("backslash"), "{wrong:?}");

    let missing = home.run(&["state", "delete", "Ledger", "nokey", "--json"]).exits(1);
    assert!(missing.error() == "not-stored" && missing.out.contains("nokey"), "{missing:?}");
    let deleted = home.run(&["state", "delete", "Ledger", "a b"]).exits(0).out;
    let store = home.path(".local/state/playhouse/nodes/default/store");
    assert_eq!(deleted, format!("deleted 'a b': 0/playhouse-demo:LedgerWasm/1, in {}\n", store.display()));
    home.run(&["state", "get", "Ledger", "a b"]).exits(1);
}

/// `dlq drop 1 99` dropped letter 1 for ever and said only that 99 is not there.
#[test]
fn one_wrong_number_leaves_all_dead_letters_where_they_are() {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("misbehaving-wasm")]);
    for _ in 0..2 {
        home.run(&["call", "Misbehaving", "Trap", "--tell"]).exits(0);
    }
    let letters = || home.run(&["dlq", "list", "--json"]).exits(0).json()["dead_letters"].as_array().unwrap().clone();
    crate::home::await_that("two letters", || letters().len() == 2);
    let try_all = || {
        for command in ["drop", "retry"] {
            let ran = home.run(&["dlq", command, "1", "99", "--json"]).exits(1);
            let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with("nothing was ") && message.contains("no dead letter 99"), "{message}");
        }
        assert_eq!(letters().len(), 2);
    };
    try_all();
    node.kill();
    try_all();
    // The same number twice is one letter.
    let dropped = home.run(&["dlq", "drop", "2", "2", "--json"]).exits(0).json();
    assert_eq!(dropped["dead_letters"], serde_json::json!([2]));
    assert!(home.run(&["dlq", "drop", "--all"]).exits(0).out.starts_with("dropped 1 dead letter, in "));
}

/// What `ps` shows of an actor's id was refused by the commands for stores, against their help.
#[test]
fn actors_are_named_by_what_is_shown_of_them() {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm"), &package("counter-wasm")]);
    let shown = home.run(&["ps"]).exits(0).out;
    let line = shown.lines().find(|line| line.contains("LedgerWasm")).unwrap();
    let id = line.split_whitespace().next().unwrap();
    let look = || {
        for args in [&["timers", id][..], &["mailbox", id], &["state", "scan", id], &["key", "export-public", id]] {
            home.run(args).exits(0);
        }
    };
    look();
    let near = home.run(&["call", "Ledger", "book", "--json", "{}", "--output", "json"]).exits(1).json();
    assert_eq!(near["error"]["fix"], "Did you mean ledger.LedgerService.Book?");
    node.kill();
    look();
}

#[test]
fn an_export_goes_through_a_pipe_and_says_whose_it_is() {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm")]);
    home.run(&["call", "Ledger", "Book", "--json", r#"{"amount":42}"#]).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    drop(node);
    let program = env!("CARGO_BIN_EXE_playhouse");
    let line = format!("{program} state export Ledger > e && {program} state import 0/a:B/c - < e");
    let ran = crate::home::finish(&mut home.shell("bash", &line)).exits(0);
    assert!(ran.out.starts_with("imported 2 keys into 0/a:B/c, in /"), "{ran:?}");
    assert!(ran.err.contains("the state of 0/playhouse-demo:LedgerWasm/1"), "{ran:?}");
}

#[test]
fn what_a_configuration_does_not_do_is_said() {
    let home = Home::new();
    home.trust_fixtures();
    let mut node = home.start(&[&home.write("empty.toml", "realm = 7")]);
    home.run(&["stop", "--all"]).exits(0);
    node.wait();
    assert!(node.errors().contains("the node runs nothing"));
    let actor = format!("[[actor]]\npackage = {:?}\n", package("echo-wasm"));
    for (config, words) in [
        (format!("{actor}concurrency = \"0\""), "echo-wasm.actr: concurrency"),
        (format!("{actor}secrets = {{ s = \"x\" }}"), "echo-wasm.actr: the secret \"s\""),
        (format!("{actor}instance = \"a\"\n{actor}instance = \"a\""), "of its own"),
        ("limits = { cpu_ms = 0 }".to_owned(), "nonzero"),
    ] {
        let ran = home.run(&["run", "--json", &home.write("wrong.toml", config)]).exits(1);
        let error = ran.json()["error"].clone();
        assert_eq!(error["kind"], "invalid-argument", "{error}");
        let said = format!("{} {}", error["message"].as_str().unwrap(), error["fix"].as_str().unwrap());
        assert!(said.contains(words), "{said}");
    }
}
