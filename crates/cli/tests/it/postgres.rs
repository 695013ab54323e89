//! Nodes on a Postgres server.

use std::path::Path;

use crate::home::{Home, Ran, Running, await_that, finish, package};

use self::certificates::Certificates;
use self::cluster::{Cluster, there};

#[path = "../../../store/tests/postgres/cluster.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    reason = "the tests of the store need more of it, and say where they cannot go on"
)]
mod cluster;

#[path = "../../../store/tests/postgres/certificates.rs"]
#[expect(clippy::expect_used, reason = "as in the tests of the store")]
mod certificates;

/// A password that must not be seen anywhere.
const PASSWORD: &str = "canary-4711";

/// A server that lets `node` in with its password.
fn server() -> Option<Cluster> {
    there().then(|| {
        let server = Cluster::start_listening("");
        server.sql(&format!("CREATE ROLE node LOGIN PASSWORD '{PASSWORD}'"));
        server.sql("CREATE ROLE stranger LOGIN");
        server.sql("CREATE DATABASE plays OWNER node");
        server.let_in("host all node 127.0.0.1/32 scram-sha-256\nhost all stranger 127.0.0.1/32 trust");
        server
    })
}

fn url(server: &Cluster, password: &str) -> String {
    format!("postgres://node:{password}@127.0.0.1:{}/plays", server.port())
}

/// A user whose nodes have a store on the server.
struct User<'a> {
    home: Home,
    server: &'a Cluster,
}

impl<'a> User<'a> {
    fn new(server: &'a Cluster) -> Self {
        let home = Home::new();
        home.trust_fixtures();
        Self { home, server }
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(self.home.command(args).env("PLAYHOUSE_STORE", url(self.server, PASSWORD)))
    }

    /// Starts a node that runs the ledger.
    fn start(&self, more: &[&str]) -> Running {
        let ledger = package("ledger-wasm");
        let args = [&["run", "--json", &ledger], more].concat();
        let mut node = Running::start(self.home.command(&args).env("PLAYHOUSE_STORE", url(self.server, PASSWORD)));
        let ready = node.event("ready");
        assert_eq!(
            ready["event"],
            "ready",
            "{ready} {}",
            if ready.is_string() { node.errors() } else { String::new() }
        );
        assert_eq!(ready["store"], format!("postgres://node@127.0.0.1:{}/plays", self.server.port()));
        node
    }

    fn sum(&self) -> String {
        self.run(&["call", "Ledger", "Sum"]).exits(0).json()["sum"].as_str().unwrap().to_owned()
    }

    /// Nothing that was written or said has the password.
    fn has_no_password(&self, said: &[&Ran]) {
        for ran in said {
            assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{ran:?}");
        }
        look_through(&self.home.path("."));
    }
}

fn look_through(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_through(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let found = bytes.windows(PASSWORD.len()).any(|seen| seen == PASSWORD.as_bytes());
            assert!(!found, "the password is in {}", path.display());
        }
    }
}

#[test]
fn what_a_node_keeps_on_a_server_survives_kill_9() {
    let Some(server) = server() else { return };
    let user = User::new(&server);
    let node = user.start(&[]);
    user.run(&["call", "Ledger", "Book", "--json", r#"{"amount":40}"#]).exits(0);
    user.run(&["call", "Ledger", "Book", "--json", r#"{"amount":2}"#, "--tell"]).exits(0);
    user.run(&["call", "Ledger", "Keep", "--json", r#"{"text":"canary"}"#]).exits(0);
    user.run(&["call", "Ledger", "Remind", "--json", r#"{"afterMs":3600000}"#]).exits(0);
    node.kill();

    // Seen while nothing runs.
    let keys = user.run(&["state", "scan", "Ledger", "--json"]).exits(0).json();
    assert_eq!((&keys["entries"][3]["key"], &keys["entries"][3]["bytes"]), (&"sum".into(), &4.into()), "{keys}");
    assert_eq!(user.run(&["timers", "--json"]).exits(0).json()["timers"][0]["name"], "remind");
    let public = user.run(&["key", "export-public", "Ledger", "--json"]).exits(0).json();
    assert_eq!(public["keys"][0]["name"], "keep");
    user.run(&["fsck"]).exits(0);
    // The node that died is this one, so nobody waits for its lease to end.
    user.run(&["state", "set", "Ledger", "note", "hello"]).exits(0);
    // Without the password, it is known where to look, and what is missing.
    let asked = user.home.run(&["store", "info", "--json"]).exits(1);
    assert_eq!(asked.error(), "store-unreachable");
    let error = asked.json()["error"].clone();
    assert_eq!(error["kind"], "permission-denied", "{error}");
    assert!(error["fix"].to_string().contains("PGPASSWORD"), "{error}");
    let given = finish(user.home.command(&["store", "info", "--json"]).env("PGPASSWORD", PASSWORD)).exits(0);
    assert_eq!((&given.json()["actors"], &given.json()["node"]), (&1.into(), &serde_json::Value::Null));

    let _node = user.start(&[]);
    assert_eq!(user.sum(), "42");
    assert_eq!(user.run(&["call", "Ledger", "Recall"]).exits(0).json()["text"], "canary");
    let ran = user.run(&["backup", "copy", "--json"]).exits(1);
    assert_eq!(ran.error(), "store-unsupported");
    user.has_no_password(&[&asked, &given, &ran]);
}

#[test]
fn of_two_nodes_one_has_the_actor_and_the_other_is_told() {
    let Some(server) = server() else { return };
    let (one, two) = (User::new(&server), User::new(&server));
    let node = one.start(&[]);
    one.run(&["call", "Ledger", "Book", "--json", r#"{"amount":1}"#]).exits(0);

    // A second node needs the master key that the first made.
    let second = |more: &[&str]| two.run(&[&["run", "--json", &package("ledger-wasm")], more].concat());
    let refused = second(&[]).exits(1);
    assert_eq!(refused.error(), "key-master-missing");
    assert!(!two.home.path(".local/state/playhouse/nodes/default/master-key").exists(), "no other key is made");
    let key = one.home.path(".local/state/playhouse/nodes/default/master-key").display().to_string();

    let refused = second(&["--master-key-file", &key]).exits(1);
    assert_eq!(refused.error(), "actor-owned");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("LedgerWasm") && message.contains("/default/"), "{message}");
    // The same name on the same machine, and yet another node: it is not let past.
    let edit = two.run(&["state", "set", "Ledger", "sum", "0", "--json"]).exits(1);
    assert_eq!(edit.error(), "actor-owned");
    assert_eq!(one.sum(), "1");

    // Another instance is another actor.
    let config = format!("[[actor]]\npackage = {:?}\ninstance = \"second\"\n", package("ledger-wasm"));
    let config = two.home.write("node.toml", config);
    let mut other = Running::start(
        two.home
            .command(&["run", "--json", &config, "--master-key-file", &key])
            .env("PLAYHOUSE_STORE", url(&server, PASSWORD)),
    );
    assert_eq!(other.event("ready")["event"], "ready");
    assert_eq!(two.sum(), "0");
    two.run(&["stop", "--all"]).exits(0);

    // What is given up is free at once.
    one.run(&["stop", "--all"]).exits(0);
    drop(node);
    let _node = two.start(&["--master-key-file", &key]);
    assert_eq!(two.sum(), "1");
    one.has_no_password(&[&edit]);
    two.has_no_password(&[&refused]);
}

#[test]
fn a_server_that_does_not_let_in_is_an_error_with_a_way_out() {
    let Some(server) = server() else { return };
    let user = User::new(&server);
    let port = server.port();
    let check = |store: &str, expected: [&str; 4]| {
        let [code, kind, message, fix] = expected;
        for args in [
            &["run", "--json", &package("ledger-wasm"), "--store", store][..],
            &["store", "info", "--json", "--store", store],
        ] {
            let ran = user.home.run(args).exits(1);
            let error = &ran.json()["error"];
            assert_eq!((error["code"].as_str(), error["kind"].as_str()), (Some(code), Some(kind)), "{store}: {error}");
            assert!(error["message"].as_str().unwrap().contains(message), "{store}: {error}");
            assert!(error["fix"].as_str().unwrap().contains(fix), "{store}: {error}");
            user.has_no_password(&[&ran]);
        }
    };
    let unreachable = |kind, message, fix| ["store-unreachable", kind, message, fix];
    check(
        &url(&server, "canary-4711-wrong"),
        unreachable("permission-denied", "password authentication failed for user \"node\"", "PGPASSWORD"),
    );
    check(
        &format!("postgres://node@127.0.0.1:{port}/plays"),
        unreachable("permission-denied", "password missing", "PGPASSWORD"),
    );
    check(
        &format!("postgres://node:{PASSWORD}@127.0.0.1:{port}/none"),
        unreachable("not-found", "database \"none\" does not exist", "createdb"),
    );
    check(
        &format!("postgres://stranger:{PASSWORD}@127.0.0.1:{port}/plays"),
        unreachable("permission-denied", "permission denied for database plays", "GRANT CREATE ON DATABASE"),
    );
    check(
        &format!("postgres://node:{PASSWORD}@127.0.0.1:1/plays"),
        unreachable("unavailable", "postgres://node@127.0.0.1:1/plays: the server: error connecting", "pg_isready"),
    );
    for malformed in [
        format!("postgres://node:{PASSWORD}@x:{port}x/plays"),
        format!("postgres://node:x@{PASSWORD}@127.0.0.1/plays"),
        format!("postgres://node@127.0.0.1/plays?unknown={PASSWORD}"),
    ] {
        check(&malformed, ["store-unsupported", "invalid-argument", "address of the server", "postgres://USER@HOST"]);
    }
}

#[test]
fn a_node_goes_on_when_its_server_comes_back() {
    let Some(server) = server() else { return };
    let user = User::new(&server);
    let _node = user.start(&[]);
    let book = |more: &[&str]| user.run(&[&["call", "Ledger", "Book", "--json", r#"{"amount":1}"#], more].concat());
    book(&[]).exits(0);
    server.down("immediate");
    let refused = book(&["--timeout", "2s", "--output", "json"]);
    assert!(refused.code != 0, "{refused:?}");
    user.run(&["ps"]).exits(0);
    server.up();
    await_that("it goes on", || book(&["--timeout", "5s"]).code == 0);
    // What was refused may have been booked, too: nobody said that it was not.
    let sum: u64 = user.sum().parse().unwrap();
    assert!(sum >= 2, "{sum}");
    user.has_no_password(&[&refused]);
}

#[test]
fn an_encrypted_server_has_to_be_who_it_should_be() {
    let Some(server) = server() else { return };
    let made = Certificates::make();
    server.let_in("hostssl all node 127.0.0.1/32 scram-sha-256");
    server.encrypt(&made.path("good.crt"), &made.path("good.key"));
    let user = User::new(&server);
    let run = |host: &str, options: &str| {
        let store = format!("postgres://node:{PASSWORD}@{host}:{}/plays?{options}", server.port());
        let mut command = user.home.command(&["run", "--json", &package("ledger-wasm")]);
        let command = command.env("PLAYHOUSE_STORE", store).env("SSL_CERT_FILE", made.path("ours.crt"));
        let mut node = Running::start(command);
        let ready = node.event("ready");
        if ready["event"] == "ready" {
            user.run(&["stop", "--all"]).exits(0);
            node.wait();
            return format!("{} {}", ready["store"], node.errors());
        }
        node.wait();
        ready.as_str().unwrap().to_owned()
    };
    let theirs = format!("sslmode=verify-full&sslrootcert={}", made.path("theirs.crt").display());
    for (host, options, expected) in [
        ("localhost", "sslmode=verify-full", "/plays?sslmode=verify-full"),
        ("127.0.0.1", "sslmode=verify-full", "only valid for DnsName"),
        ("localhost", &theirs, "`?sslrootcert=FILE`"),
        ("localhost", "sslmode=require", "/plays?sslmode=require"),
        ("localhost", "", "no encryption"),
        ("db.invalid", "sslmode=disable", "danger_plaintext=true"),
        ("localhost", "sslmode=full", "is none of disable, allow, prefer, require, verify-ca, verify-full"),
    ] {
        let seen = run(host, options);
        assert!(seen.contains(expected) && !seen.contains(PASSWORD), "{host} {options}: {seen}");
    }
}
