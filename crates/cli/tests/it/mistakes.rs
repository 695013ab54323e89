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
