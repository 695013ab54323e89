//! A node whose actors are still starting.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::home::{Home, Ran, package};

/// A node whose first actor takes a minute to start, and whose others wait for it.
struct Slow {
    home: Home,
    node: Child,
}

impl Slow {
    fn start() -> Self {
        let home = Home::new();
        home.trust_fixtures();
        let actors = ["start-loop-wat", "echo-wasm", "counter-wasm"].map(package);
        let config: String = actors.iter().map(|path| format!("[[actor]]\npackage = {path:?}\n")).collect();
        let config = home.write("slow.toml", format!("limits = {{ cpu_ms = 60000, wall_ms = 60000 }}\n{config}"));
        let node = home.command(&["run", &config, "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let slow = Self { home, node: node.unwrap() };
        slow.until(|ran| ran.code == 0 && ran.json()["actors"][0]["id"].is_string());
        slow
    }

    /// Asks `ps` until it answers as it should.
    fn until(&self, fits: impl Fn(&Ran) -> bool) -> Ran {
        let start = Instant::now();
        loop {
            let ran = self.home.run(&["ps", "--json"]);
            if fits(&ran) {
                return ran;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{ran:?}");
        }
    }

    /// Name and state of all actors.
    fn states(&self) -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let seen = self.home.run(&["ps", "--json"]).exits(0).json();
        let actors = seen["actors"].as_array().unwrap().iter();
        actors.map(|a| (text(&a["type"]).split(':').nth(1).unwrap().to_owned(), text(&a["state"]))).collect()
    }

    /// How the node ends, and that it does so soon.
    fn ends(mut self) -> (i32, String) {
        let start = Instant::now();
        let status = self.node.wait().unwrap();
        assert!(start.elapsed() < Duration::from_secs(15), "took {:?}", start.elapsed());
        let mut out = String::new();
        std::io::Read::read_to_string(&mut self.node.stdout.take().unwrap(), &mut out).unwrap();
        (status.code().unwrap_or(-1), out)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

fn pairs<const N: usize>(names: [&str; N], state: &str) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), state.to_owned())).collect()
}

#[test]
fn actors_that_start_are_seen_and_stopped() {
    let slow = Slow::start();
    assert_eq!(slow.states(), pairs(["StartLoopWat", "EchoWasm", "CounterWasm"], "starting"));
    assert!(slow.home.run(&["ps"]).exits(0).out.contains("starting"));
    slow.home.run(&["logs", "EchoWasm"]).exits(0);
    slow.home.run(&["logs"]).exits(0);
    // A call waits for its actor, but not longer than it may.
    let early = ["call", "EchoWasm", "echo.EchoService.Echo", "--output", "json"];
    let waiting = std::thread::spawn({
        let mut command = slow.home.command(&early);
        move || command.output().unwrap()
    });

    let stopped = slow.home.run(&["stop", "CounterWasm", "--json"]).exits(0).json();
    assert_eq!(stopped["stopped"], "playhouse-demo:CounterWasm:1.0.0");
    assert_eq!(slow.states(), pairs(["StartLoopWat", "EchoWasm"], "starting"));
    slow.home.run(&["call", "CounterWasm", "Total"]).exits(1);

    slow.home.run(&["stop", "StartLoopWat"]).exits(0);
    slow.until(|ran| ran.json()["actors"] == serde_json::json!([]) || ran.json()["actors"][0]["state"] == "running");
    assert_eq!(slow.states(), pairs(["EchoWasm"], "running"));
    assert_eq!(waiting.join().unwrap().status.code(), Some(0), "the call that waited");
    slow.home.run(&early).exits(0);
    slow.home.run(&["stop", "--all"]).exits(0);
    let (code, out) = slow.ends();
    assert!(code == 0 && out.contains("\"ready\"") && out.contains("\"stopped\""), "{code}: {out}");
}

#[test]
fn a_node_stops_while_it_starts() {
    let slow = Slow::start();
    slow.home.run(&["stop", "--all"]).exits(0);
    slow.home.run(&["ps"]).exits(4);
    let (code, out) = slow.ends();
    assert!(code == 0 && !out.contains("\"ready\"") && out.contains("\"stopped\""), "{code}: {out}");

    let slow = Slow::start();
    kill_process(Pid::from_child(&slow.node), Signal::INT).unwrap();
    assert_eq!(slow.ends().0, 130);
}

/// A pipe that nobody reads once held the lock of standard output, and the node with it.
#[test]
fn a_pipe_that_nobody_reads_does_not_hold_a_node() {
    let home = Home::new();
    home.trust_fixtures();
    let mut node = home.command(&["run", &package("misbehaving-wasm")]).stdout(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while home.run(&["ps"]).code != 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    for _ in 0..20 {
        home.run(&["call", "Misbehaving", "Logs", "--json", r#"{"amount":100}"#]).exits(0);
    }
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(node.wait().unwrap().code(), Some(0));
}
