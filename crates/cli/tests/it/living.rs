//! What the configuration says of an actor's life: when it leaves memory, what survives, how much it may keep, what it may do.

use serde_json::Value;

use crate::home::{Home, Ran, Running, await_that, package};

/// A user whose node runs by that configuration.
struct Node {
    home: Home,
    running: Option<Running>,
}

impl Node {
    fn start(config: &str) -> Self {
        let home = Home::new();
        home.trust_fixtures();
        let mut node = Self { home, running: None };
        node.start_again(config);
        node
    }

    fn start_again(&mut self, config: &str) {
        let config = self.home.write("node.toml", config);
        self.running = Some(self.home.start(&[&config]));
    }

    fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.home.run(args)
    }

    /// Calls a method of the ledger of that engine.
    fn call(&self, actor: &str, method: &str, request: &str) -> Ran {
        self.run(&["call", actor, method, "--json", request, "--output", "json"])
    }

    /// The error of a call.
    fn refused(&self, actor: &str, method: &str, request: &str) -> Value {
        self.call(actor, method, request).exits(1).json()["error"].clone()
    }

    fn actor(&self, name: &str) -> Value {
        let actors = self.run(&["ps", "--json"]).exits(0).json();
        let found =
            actors["actors"].as_array().unwrap().iter().find(|actor| actor["type"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("no {name}: {actors}")).clone()
    }
}

fn actor(package_name: &str, more: &str) -> String {
    format!("[[actor]]\npackage = {:?}\n{more}\n", package(package_name))
}

#[test]
fn idle_actors_leave_memory_and_come_back() {
    let passive = "passivate_after = \"300ms\"";
    let config = [
        "[policy]\ndanger_native_in_process = true".to_owned(),
        actor("ledger-wasm", passive),
        actor("ledger-native", passive),
        actor("counter-wasm", ""),
    ]
    .join("\n");
    let node = Node::start(&config);
    for name in ["LedgerWasm", "LedgerNative"] {
        let is = |state: &str| node.actor(name)["state"] == state;
        node.call(name, "Book", r#"{"amount":40}"#).exits(0);
        assert!(is("running"), "{name} was just called");
        await_that("it leaves memory", || is("passive"));
        let text = node.run(&["ps"]).exits(0).out;
        assert!(text.lines().any(|line| line.contains(name) && line.contains("passive")), "{text}");
        // Its state can be seen without waking it.
        node.run(&["state", "scan", name, "--keys"]).exits(0);
        assert!(is("passive"));
        // A call brings it back with what it kept.
        node.call(name, "Book", r#"{"amount":2}"#).exits(0);
        assert_eq!(node.call(name, "Sum", "{}").exits(0).json()["reply"]["sum"], "42");
        assert_eq!(node.actor(name)["restarts"], 0, "that is no failure");
        // So does a tell, and a timer.
        await_that("it leaves memory again", || is("passive"));
        node.run(&["call", name, "Book", "--json", r#"{"amount":8}"#, "--tell"]).exits(0);
        await_that("the tell is handled", || node.call(name, "Sum", "{}").json()["reply"]["sum"] == "50");
        node.call(name, "Remind", r#"{"afterMs":1200}"#).exits(0);
        await_that("it leaves memory before the timer", || is("passive"));
        await_that("the timer wakes it", || {
            node.run(&["state", "get", name, "reminded"]).out.trim() == "1" && node.actor(name)["state"] != "parked"
        });
    }
    assert_eq!(node.actor("CounterWasm")["state"], "running", "nobody said that it should leave");
}

#[test]
fn durability_is_per_route() {
    const LOGS: &str = "misbehaving.MisbehavingService.Logs";
    // Of two instances, only one loses what is told to it by that route.
    let config = [
        actor(
            "misbehaving-wasm",
            &format!("instance = \"forgets\"\ndurability = {{ routes = {{ {LOGS:?} = \"memory\" }} }}"),
        ),
        actor("misbehaving-wasm", "instance = \"keeps\""),
    ]
    .join("\n");
    let mut node = Node::start(&config);
    let actors = node.run(&["ps", "--json"]).exits(0).json();
    let ids: Vec<&str> =
        actors["actors"].as_array().unwrap().iter().map(|actor| actor["id"].as_str().unwrap()).collect();
    for id in &ids {
        // Computes for a second, thrice: what comes behind it waits.
        node.run(&["call", id, "Loop", "--tell"]).exits(0);
        node.run(&["call", id, LOGS, "--json", r#"{"amount":1}"#, "--tell"]).exits(0);
    }
    let waiting = |name: &str, node: &Node| {
        let found = node.run(&["mailbox", &format!("MisbehavingWasm/{name}"), "--json"]).exits(0).json();
        let routes = found["messages"].as_array().unwrap().iter().map(|message| message["route"].as_str().unwrap());
        routes.filter(|route| *route == LOGS).count()
    };
    node.kill();
    assert_eq!((waiting("forgets", &node), waiting("keeps", &node)), (0, 1));

    // A method that is misspelt would be less durable than its operator believes.
    let misspelt = format!(
        "durability = {{ routes = {{ \"ledger.LedgerService.Sum\" = \"fsync\", \"ledger.LedgerService.Bok\" = \"fsync\" }} }}\n{}",
        actor("ledger-wasm", "durability = { routes = { \"ledger.LedgerService.Sums\" = \"memory\" } }"),
    );
    node.start_again(&misspelt);
    node.run(&["stop", "--all"]).exits(0);
    let mut running = node.running.take().unwrap();
    running.wait();
    let said = running.errors();
    assert!(
        said.contains("LedgerService.Bok, which no actor here has; did you mean ledger.LedgerService.Book?"),
        "{said}"
    );
    assert!(said.contains("LedgerService.Sums, which playhouse-demo:LedgerWasm:1.0.0 does not have"), "{said}");
    assert_eq!(said.matches("durability.routes").count(), 2, "{said}");

    // What a store cannot promise is refused before anything runs.
    for (what, class) in [
        ("routes = { \"ledger.LedgerService.Book\" = \"quorum\" }", "quorum"),
        ("tells = \"quorum\"", "quorum"),
        ("effects = \"quorum\"", "quorum"),
    ] {
        let config = node.home.write("node.toml", actor("ledger-wasm", &format!("durability = {{ {what} }}")));
        let refused = node.run(&["run", "--json", &config]).exits(1);
        assert_eq!(refused.error(), "durability-missing", "{what}");
        let message = refused.json()["error"]["message"].to_string();
        assert!(message.contains(class) && message.contains("fsync at most"), "{message}");
    }
    for (wrong, expected) in [
        ("durability = \"disk\"", "expected one of `memory`, `fsync`, `quorum`"),
        ("durability = { routes = { \"\" = \"fsync\" } }", "is empty"),
        ("durability = { reads = \"fsync\" }", "unknown field `reads`"),
    ] {
        let config = node.home.write("node.toml", actor("ledger-wasm", wrong));
        let refused = node.run(&["run", "--json", &config]).exits(1);
        assert_eq!(refused.error(), "config", "{wrong}");
        assert!(refused.out.contains(expected), "{wrong}: {}", refused.out);
    }
}

#[test]
fn quotas_name_themselves_and_the_way_out() {
    let node = Node::start(&actor(
        "ledger-wasm",
        "quota = { state_keys = 4, state_bytes = 300, timers = 0, sealed_keys = 1 }",
    ));
    let book = |what: &str| node.call("Ledger", "Book", &format!("{{\"amount\":1,\"what\":\"{what}\"}}"));
    let check = |error: &Value, quota: &str| {
        let says = |field: &str, words: &str| {
            let text = error[field].as_str().unwrap();
            assert!(text.contains(words), "{quota}: {error}");
        };
        assert_eq!((&error["code"], &error["kind"]), (&"state-quota".into(), &"invalid-argument".into()), "{error}");
        says("message", quota);
        says("fix", "`quota = { NAME = NUMBER }`");
    };
    book("a").exits(0);
    check(&book(&"x".repeat(400)).exits(1).json()["error"], "state_bytes would be ");
    check(&node.refused("Ledger", "Remind", r#"{"afterMs":1000}"#), "timers would be 1, the quota is 0");
    node.call("Ledger", "Statement", "{}").exits(0);
    check(&node.refused("Ledger", "Keep", r#"{"text":"x"}"#), "sealed_keys would be 2, the quota is 1");
    book("b").exits(0);
    book("c").exits(0);
    check(&book("d").exits(1).json()["error"], "state_keys would be 5, the quota is 4");
    // What was refused left nothing.
    let sum = node.call("Ledger", "Sum", "{}").exits(0).json();
    assert_eq!((&sum["reply"]["sum"], &sum["reply"]["entries"]), (&"3".into(), &"3".into()), "{sum}");
}

#[test]
fn a_missing_grant_is_named_with_the_way_to_add_it() {
    let config = [
        "[policy]\ndanger_native_in_process = true".to_owned(),
        actor("ledger-wasm", "grants = [\"config\", \"clock\"]"),
        actor("ledger-native", "grants = [\"config\", \"clock\", \"state\"]"),
    ]
    .join("\n");
    let node = Node::start(&config);
    for (name, method, grant) in
        [("LedgerWasm", "Sum", "state"), ("LedgerWasm", "Remind", "timers"), ("LedgerNative", "Statement", "random")]
    {
        let error = node.refused(name, method, "{}");
        assert_eq!((&error["code"], &error["kind"]), (&"grant-missing".into(), &"permission-denied".into()), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(name) && message.contains(&format!("no grant `{grant}`")), "{message}");
        assert!(
            error["fix"].as_str().unwrap().contains("`grants` of the actor in the node's configuration"),
            "{error}"
        );
    }
    // As it says, so it is.
    node.call("LedgerNative", "Sum", "{}").exits(0);
}
