use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::home::{Home, Running, guests, package};

/// A user who trusts the test packages, and a node with the echo and the misbehaving actor.
fn theatre() -> (Home, Running) {
    let home = Home::new();
    home.trust_fixtures();
    let node = home.start(&[&package("echo-wasm"), &package("misbehaving-wasm")]);
    (home, node)
}

#[test]
fn actors_are_run_listed_called_and_stopped() {
    let (home, mut node) = theatre();
    let listed = home.run(&["ps", "--json"]).exits(0).json();
    assert_eq!(listed["node"]["node"], "default");
    let echo = &listed["actors"][0];
    assert_eq!(
        (&echo["type"], &echo["engine"], &echo["state"]),
        (&"playhouse-demo:EchoWasm:1.0.0".into(), &"wasm".into(), &"running".into())
    );
    assert!(home.run(&["ps"]).exits(0).out.contains("playhouse-demo:EchoWasm:1.0.0"));

    let call = |args: &[&str]| home.run(&[&["call"], args].concat());
    let reply = call(&["EchoWasm", "echo.EchoService.Echo", "--json", r#"{"message":"hi"}"#]).exits(0).json();
    assert_eq!((&reply["reply"], &reply["answeredBy"]), (&"hi".into(), &echo["id"]));
    let shout = call(&["Echo", "Shout", "--hex", "0a026869", "--output", "json"]).exits(0).json();
    assert_eq!((&shout["reply"]["reply"], &shout["route"]), (&"HI".into(), &"echo.EchoService.Shout".into()));
    let id = echo["id"].as_str().unwrap();
    assert!(call(&[id, "Echo", "--data", "\n\u{2}ho", "--raw"]).exits(0).out.starts_with("\n\u{2}ho"));
    let file = home.write("request", b"\x0a\x02yo");
    assert_eq!(call(&["EchoWasm", "Echo", "--file", &file]).exits(0).json()["reply"], "yo");
    let typed = home.write("typed", r#"{"message":"stdin"}"#);
    for (flag, input, reply) in [("--json", &typed, "stdin"), ("--file", &file, "yo")] {
        let input = std::fs::File::open(input).unwrap();
        let ran = crate::home::finish(home.command(&["call", "EchoWasm", "Echo", flag, "-"]).stdin(input)).exits(0);
        assert_eq!(ran.json()["reply"], reply);
    }
    call(&["EchoWasm", "Echo", "--tell"]).exits(0);

    assert_eq!(home.run(&["stop", "EchoWasm", "--json"]).exits(0).json()["stopped"], echo["id"]);
    call(&["EchoWasm", "Echo"]).exits(1);
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(node.wait().code(), Some(0));
    assert!(!home.path(".local/state/playhouse/run/default.sock").exists());
}

#[test]
fn mistakes_in_calls_are_named() {
    let (home, _node) = theatre();
    let call = |args: &[&str]| home.run(&[&["call", "--output", "json"], args].concat());
    for (args, exit, code) in [
        (&["EchoWasn", "Echo"][..], 1, "unknown-actor"),
        (&["playhouse-demo", "Echo"], 1, "actor-ambiguous"),
        (&["EchoWasm", "Echo", "--json", r#"{"mesage":"hi"}"#], 1, "json-mismatch"),
        (&["EchoWasm", "Echo", "--json", "{"], 1, "json-mismatch"),
        (&["EchoWasm", "Ecko", "--json", "{}"], 1, "no-proto"),
        (&["EchoWasm", "Echo", "--hex", "0"], 2, "usage"),
        (&["EchoWasm", "Echo", "--timeout", "soon"], 2, "usage"),
        (&["EchoWasm", "Echo", "--file", "gone"], 2, "usage"),
        (&["EchoWasm", "Echo", "--file", "/dev/zero"], 1, "message-too-large"),
        (&["EchoWasm", "Echo", "--timeout", "-1"], 2, "usage"),
        (&["MisbehavingWasm", "Loop", "--timeout", "100ms"], 5, "deadline-expired"),
        (&["MisbehavingWasm", "Trap"], 1, "guest-trap"),
    ] {
        assert_eq!(call(args).exits(exit).error(), code, "{args:?}");
    }
    let route = home.run(&["call", "EchoWasm", "Nope"]).exits(1);
    assert!(route.err.starts_with("error: unknown route [unspecified]: Nope\n"), "{}", route.err);
    assert!(route.err.contains("The package describes echo.EchoService.Echo, "), "{}", route.err);
    let typo = home.run(&["call", "EchoWasn", "Echo"]).exits(1);
    assert!(typo.err.contains("Did you mean"), "{}", typo.err);
    let failed =
        call(&["EchoWasm", "Fail", "--json", r#"{"kind":"permission-denied","message":"not you"}"#]).exits(1).json();
    assert_eq!(
        (&failed["error"]["kind"], &failed["error"]["message"]),
        (&"permission-denied".into(), &"not you".into())
    );
}

#[test]
fn logs_are_shown_and_followed() {
    let (home, mut node) = theatre();
    home.run(&["call", "Misbehaving", "Logs", "--json", r#"{"amount":3}"#]).exits(0);
    let lines = home.run(&["logs", "Misbehaving", "--json"]).exits(0).json();
    assert_eq!(lines["lines"].as_array().unwrap().len(), 3);
    assert_eq!(home.run(&["logs", "-n", "1", "--json"]).exits(0).json()["lines"].as_array().unwrap().len(), 1);
    assert_eq!(home.run(&["logs", "EchoWasm", "--json"]).exits(0).json()["lines"].as_array().unwrap().len(), 0);
    home.run(&["logs", "Nobody"]).exits(1);
    // The node shows them too.
    assert!(node.event("log")["text"].is_string());

    // One whose reader goes ends at once, and not with the next line.
    let mut piped = home.command(&["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(piped.stdout.take());
    assert_eq!(piped.wait().unwrap().code(), Some(0));

    let mut follower = home.command(&["logs", "-f", "--json", "-n", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(follower.stdout.take().unwrap());
    // Whether the follower is there already is known when its line comes.
    let start = Instant::now();
    let asking = std::thread::spawn({
        let mut commands: Vec<_> =
            (0..20).map(|_| home.command(&["call", "Misbehaving", "Logs", "--json", r#"{"amount":1}"#])).collect();
        move || commands.iter_mut().for_each(|command| drop(command.output()))
    });
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert!(line.contains("\"level\""), "{line} after {:?}", start.elapsed());
    asking.join().unwrap();
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(follower.wait().unwrap().code(), Some(0), "following ends with the node");
}

#[test]
fn one_name_is_one_node() {
    let (home, _node) = theatre();
    let echo = package("echo-wasm");
    let second = home.run(&["run", &echo, "--json"]).exits(1);
    assert_eq!(second.error(), "node-running");
    let mut other = home.start(&[&echo, "--node", "other"]);
    assert_eq!(home.run(&["ps", "--node", "other", "--json"]).exits(0).json()["node"]["node"], "other");
    home.run(&["stop", "--all", "--node", "other"]).exits(0);
    assert_eq!(other.wait().code(), Some(0));
    let gone = home.run(&["ps", "--node", "other", "--json"]).exits(4);
    assert_eq!(gone.error(), "node-not-running");
    assert!(gone.out.contains("--node default"), "{}", gone.out);
}

#[test]
fn a_killed_node_leaves_nothing_in_the_way() {
    let (home, mut node) = theatre();
    node.signal(Signal::KILL);
    node.wait();
    assert!(home.path(".local/state/playhouse/run/default.sock").exists());
    home.run(&["ps"]).exits(4);
    home.run(&["stop", "--all"]).exits(4);
    let _again = home.start(&[&package("echo-wasm")]);
    home.run(&["ps"]).exits(0);
}

#[test]
fn signals_end_a_node_and_two_end_it_at_once() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (_home, mut node) = theatre();
        node.signal(signal);
        assert_eq!(node.event("stopped")["event"], "stopped");
        assert_eq!(node.wait().code(), Some(0), "{signal:?}");
    }
    let home = Home::new();
    home.trust_fixtures();
    let config = format!("limits = {{ cpu_ms = 60000 }}\n[[actor]]\npackage = {:?}\n", package("misbehaving-wasm"));
    let mut node = home.start(&[&home.write("playhouse.toml", config)]);
    // A handler that does not end keeps its actor from stopping.
    home.run(&["call", "Misbehaving", "Loop", "--tell"]).exits(0);
    let start = Instant::now();
    node.signal(Signal::INT);
    assert_eq!(node.event("stopping")["event"], "stopping");
    node.signal(Signal::INT);
    let code = node.wait().code();
    assert!(code == Some(130) && start.elapsed() < Duration::from_secs(5), "{code:?} after {:?}", start.elapsed());
}

#[test]
fn what_is_not_trusted_does_not_run() {
    let home = Home::new();
    let echo = package("echo-wasm");
    let refused = home.run(&["run", &echo]).exits(3);
    assert!(refused.err.contains("playhouse trust add playhouse-demo PUBLIC_KEY"), "{}", refused.err);
    assert_eq!(home.run(&["run", &echo, "--json"]).exits(3).error(), "trust-unknown");
    let mut loose = home.start(&[&echo, "--danger-accept-any-signature"]);
    loose.signal(Signal::TERM);
    loose.wait();

    home.trust_fixtures();
    let native = home.run(&["run", &package("echo-c"), "--json"]).exits(1);
    assert_eq!(native.error(), "native-not-allowed");
    assert!(native.out.contains("--danger-native-in-process"), "{}", native.out);
    assert_eq!(home.run(&["run", &package("core-module-wat"), "--json"]).exits(1).error(), "wasm-core-module");
}

#[test]
fn a_configuration_says_it_all() {
    let home = Home::new();
    std::fs::copy(package("caller-wasm"), home.path("caller.actr")).unwrap();
    std::fs::copy(package("echo-wasm"), home.path("echo.actr")).unwrap();
    home.run(&["trust", "add", "playhouse-demo", &guests("fixture-key.json"), "--trust", "site.toml"]).exits(0);
    let config = home.write(
        "playhouse.toml",
        "realm = 9\ntrust = \"site.toml\"\n[limits]\ncpu_ms = 500\n[[actor]]\npackage = \"echo.actr\"\n\
         [[actor]]\npackage = \"caller.actr\"\ngrants = [\"discover\"]\nmailbox = { capacity = 2, full = \"reject\" }\n",
    );
    let _node = home.start(&[&config]);
    let listed = home.run(&["ps", "--json"]).exits(0).json();
    assert_eq!(listed["node"]["realm"], 9);
    let greet = r#"{"actorType":"playhouse-demo:EchoWasm:1.0.0","message":"hi"}"#;
    let denied = home.run(&["call", "CallerWasm", "Greet", "--json", greet, "--output", "json"]).exits(1);
    assert_eq!(denied.error(), "grant-missing");

    let broken = home.write("broken.toml", "[[actor]]\npackage = \"a\"\ngrants = [\"fly\"]\n");
    let ran = home.run(&["run", &broken, "--json"]).exits(1);
    assert_eq!(ran.error(), "config");
    assert!(ran.out.contains("line 3"), "{}", ran.out);
    assert_eq!(home.run(&["run", &config, &broken, "--json"]).exits(2).error(), "usage");
}

#[test]
fn messages_that_kill_become_dead_letters() {
    let (home, _node) = theatre();
    home.run(&["call", "Misbehaving", "Trap", "--tell"]).exits(0);
    let start = Instant::now();
    let letter = loop {
        let list = home.run(&["dlq", "list", "--json"]).exits(0).json();
        if let Some(letter) = list["dead_letters"].get(0) {
            break letter.clone();
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no dead letter");
    };
    assert_eq!(letter["route"], "misbehaving.MisbehavingService.Trap");
    let id = letter["id"].to_string();
    let shown = home.run(&["dlq", "show", &id, "--json"]).exits(0).json();
    assert_eq!((&shown["payload"], &letter["payload"]), (&"".into(), &serde_json::Value::Null));
    assert_eq!((&shown["id"], &shown["route"], &letter["bytes"]), (&letter["id"], &letter["route"], &0.into()));
    assert!(home.run(&["dlq", "list"]).exits(0).out.contains("misbehaving.MisbehavingService.Trap"));
    assert_eq!(
        home.run(&["dlq", "drop", &id, "--json"]).exits(0).json()["dead_letters"],
        serde_json::json!([letter["id"]])
    );
    home.run(&["dlq", "show", &id]).exits(1);
    home.run(&["dlq", "retry", &id]).exits(1);
    home.run(&["dlq", "drop", "--all"]).exits(0);
}

#[test]
fn a_node_survives_a_terminal_that_goes() {
    let home = Home::new();
    home.trust_fixtures();
    let mut child = home.command(&["run", &package("misbehaving-wasm")]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("is ready") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut out, &mut line).unwrap(), 0, "the node ended");
    }
    drop(out);
    home.run(&["call", "Misbehaving", "Logs", "--json", r#"{"amount":5}"#]).exits(0);
    home.run(&["ps"]).exits(0);
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Builds a package of the echo actor with these lines in its recipe, and runs it with these in its configuration.
fn echo_that_asks(recipe: &str, config: &str) -> (Home, crate::home::Ran) {
    let home = Home::new();
    home.run(&["key", "new", "--insecure-plain", "--out", "k.json"]).exits(0);
    home.run(&["trust", "add", "acme", "k.json"]).exits(0);
    home.trust_fixtures();
    home.run(&["package", "unpack", &package("caller-wasm"), "caller"]).exits(0);
    let recipe = format!(
        "manufacturer = \"acme\"\nname = \"Caller\"\nversion = \"1.0.0\"\nbinary = \"caller/bin/actor.wasm\"\n\
         protos = [\"caller/proto/caller.proto\"]\n{recipe}\n"
    );
    home.write("p.toml", recipe);
    home.run(&["package", "build", "p.toml", "--key", "k.json", "--out", "caller.actr"]).exits(0);
    let config =
        format!("[[actor]]\npackage = {:?}\n[[actor]]\npackage = \"caller.actr\"\n{config}\n", package("echo-wasm"));
    let config = home.write("playhouse.toml", config);
    let mut child =
        home.command(&["run", &config, "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let called = loop {
        let greet = r#"{"actorType":"playhouse-demo:EchoWasm:1.0.0","message":"hi"}"#;
        let called = home.run(&["call", "acme:Caller", "Greet", "--json", greet, "--output", "json"]);
        if called.code != 4 || child.try_wait().unwrap().is_some() {
            break called;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{called:?}");
    };
    home.run(&["stop", "--all"]);
    let ended = child.wait_with_output().unwrap();
    let refused = String::from_utf8(ended.stdout).unwrap();
    let ran = if ended.status.success() { called } else { crate::home::Ran { out: refused, ..called } };
    (home, ran)
}

#[test]
fn a_package_gets_what_it_asks_for_and_no_more() {
    let (home, all) = echo_that_asks("", "");
    all.exits(0);
    assert!(home.run(&["package", "inspect", "caller.actr"]).exits(0).out.contains("what actr 0.3 gives"));

    let (home, none) = echo_that_asks("grants = []", "");
    assert_eq!(none.exits(1).error(), "grant-missing");
    assert!(home.run(&["package", "inspect", "caller.actr"]).exits(0).out.contains("no host operation"));

    let (_, few) = echo_that_asks("limits = { host_calls = 1 }", "");
    assert_eq!(few.exits(1).error(), "guest-host-call-limit");
    echo_that_asks("limits = { host_calls = 100, memory_bytes = 2097152 }", "").1.exits(0);
}

#[test]
fn a_package_that_needs_more_than_it_would_get_does_not_start() {
    let greedy = "limits = { memory_bytes = 268435456 }";
    let (home, refused) = echo_that_asks(greedy, "");
    assert!(refused.out.contains("limit-refused"), "{refused:?}");
    assert!(refused.out.contains("asks for memory_bytes = 268435456, the node gives 134217728"), "{refused:?}");
    let shown = home.run(&["package", "inspect", "caller.actr", "--json"]).exits(0).json();
    assert_eq!(shown["limits"]["memory_bytes"], 268_435_456);
    echo_that_asks(greedy, "limits = { memory_bytes = 268435456 }").1.exits(0);
    echo_that_asks("limits = { mailbox_messages = 2000 }", "mailbox = { capacity = 2000 }").1.exits(0);
}

#[test]
fn a_parked_actor_is_resumed() {
    let home = Home::new();
    home.trust_fixtures();
    let package = package("misbehaving-wasm");
    let config = format!("[[actor]]\npackage = {package:?}\nrestart = {{ max = 0 }}\n");
    let _node = home.start(&[&home.write("playhouse.toml", config)]);
    assert_eq!(home.run(&["resume", "Misbehaving", "--json"]).exits(2).error(), "usage");
    home.run(&["call", "Misbehaving", "Trap"]).exits(1);
    let start = Instant::now();
    while home.run(&["ps", "--json"]).json()["actors"][0]["state"] != "parked" {
        assert!(start.elapsed() < Duration::from_secs(10), "not parked");
    }
    assert!(home.run(&["ps"]).exits(0).out.contains("guest-trap"));
    let parked = home.run(&["call", "Misbehaving", "Ping", "--output", "json"]).exits(1);
    assert_eq!(parked.error(), "actor-parked");
    assert!(parked.out.contains("playhouse resume"), "{}", parked.out);
    home.run(&["resume", "Misbehaving"]).exits(0);
    home.run(&["call", "Misbehaving", "Ping"]).exits(0);
}
