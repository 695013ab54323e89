//! A store of which one record is damaged: the actor that has it stands still, is named, and what is sound of it can be saved.

use crate::home::{Home, package};

const ACTOR: &str = "0/playhouse-demo:LedgerWasm/1";

/// A user whose ledger keeps four keys, one of which is damaged, beside a counter.
pub(crate) fn damaged() -> Home {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm"), &package("counter-wasm")]);
    for amount in [40, 2] {
        home.run(&["call", "Ledger", "Book", "--json", &format!("{{\"amount\":{amount}}}")]).exits(0);
    }
    home.run(&["stop", "--all"]).exits(0);
    drop(node);
    home.run(&["state", "set", "Ledger", "note", "findme-canary"]).exits(0);
    let file = home.path(".local/state/playhouse/nodes/default/store/playhouse.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(13).position(|seen| seen == b"findme-canary").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    home
}

/// The whole node once refused to start, against what the documents promise.
#[test]
fn one_damaged_actor_does_not_keep_the_others_from_running() {
    let home = damaged();
    let mut node = home.start(&[&package("ledger-wasm"), &package("counter-wasm")]);
    let actors = home.run(&["ps", "--json"]).exits(0).json();
    let of = |name: &str| {
        let mut all = actors["actors"].as_array().unwrap().iter();
        all.find(|actor| actor["type"].as_str().unwrap().contains(name)).unwrap().clone()
    };
    assert_eq!((&of("Counter")["state"], &of("Ledger")["state"]), (&"running".into(), &"damaged".into()));
    assert!(of("Ledger")["last_error"].as_str().unwrap().contains("checksum"), "{actors}");
    let shown = home.run(&["ps"]).exits(0).out;
    assert!(shown.contains("damaged playhouse-demo:LedgerWasm:1.0.0: "), "{shown}");
    home.run(&["call", "Counter", "Add", "--json", r#"{"amount":1}"#]).exits(0);
    assert_eq!(home.run(&["call", "Ledger", "Sum", "--output", "json"]).exits(1).error(), "store-corrupt");
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(node.wait().code(), Some(1), "not all of it ran");
    let said = node.errors();
    assert!(said.contains("LedgerWasm") && said.contains("stands still") && said.contains("[store-corrupt]"), "{said}");
    // Alone it is the node's end.
    assert_eq!(home.run(&["run", "--json", &package("ledger-wasm")]).exits(1).error(), "store-corrupt");
}

/// It once did not exist for the commands, which offered another actor in its place.
#[test]
fn a_damaged_actor_is_named_and_its_sound_keys_are_saved() {
    let home = damaged();
    let look = || {
        let actors = home.run(&["store", "actors", "--json"]).exits(0).json();
        let ledger = actors["actors"].as_array().unwrap().iter().find(|actor| actor["name"] == ACTOR).unwrap().clone();
        assert!(ledger["damage"].as_str().unwrap().contains("checksum"), "{actors}");
        assert!(home.run(&["store", "actors"]).exits(0).out.contains(&format!("damaged {ACTOR}: ")));
        for args in [&["state", "get", "Ledger", "sum"][..], &["state", "scan", "Ledger"], &["mailbox", "Ledger"]] {
            assert_eq!(home.run(&[args, &["--json"]].concat()).exits(1).error(), "store-corrupt", "{args:?}");
        }
        let refused = home.run(&["state", "export", "Ledger", "--out", "part.jsonl", "--json"]).exits(1);
        assert_eq!(refused.error(), "store-corrupt");
        assert!(refused.out.contains("--skip-damaged") && !home.path("part.jsonl").exists(), "{refused:?}");
        let saved = home.run(&["state", "export", "Ledger", "--skip-damaged"]).exits(0);
        assert!(saved.err.contains("left out 1 of 4 keys") && !saved.err.contains("dropped"), "{saved:?}");
        saved.out
    };
    let saved = look();
    assert!(saved.ends_with("{\"keys\":3}\n"), "{saved}");
    let node = home.start(&[&package("ledger-wasm"), &package("counter-wasm")]);
    assert_eq!(look(), saved, "through the node it is the same");
    node.kill();

    // Nothing of the store was changed by looking, and what was saved makes the actor whole again.
    home.run(&["fsck"]).exits(1);
    home.run(&["fsck", "--danger-drop-damaged"]).exits(0);
    let file = home.write("saved.jsonl", saved);
    home.run(&["state", "import", "Ledger", &file, "--replace"]).exits(0);
    let _node = home.start(&[&package("ledger-wasm")]);
    assert_eq!(home.run(&["call", "Ledger", "Sum"]).exits(0).json()["sum"], "42");
}
