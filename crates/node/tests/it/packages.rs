//! The sample packages on their engines, as an application runs them.

use std::time::{Duration, Instant};

use expect_test::expect;
use playhouse_guest::Bytes;
use playhouse_node::{ActorOptions, ActorRef, Limits, Node, NodeError, Policy, TrustPolicy};

use crate::support::{route, show};

const TRUST: &str = include_str!("../../../../guests/trust.toml");

macro_rules! package {
    ($name:literal) => {
        Bytes::from_static(include_bytes!(concat!("../../../../guests/packages/", $name, ".actr")))
    };
}

fn node() -> Node {
    let trust = TrustPolicy::parse(TRUST, |file| Err(file.to_owned())).unwrap();
    let policy = Policy { danger_native_in_process: true, ..Policy::default() };
    Node::builder().realm(7).trust(trust).policy(policy).start().unwrap()
}

async fn start(node: &Node, package: Bytes) -> ActorRef {
    // So few calls that they are over before the time is, however busy the machine.
    let (cpu, host_calls) = (Duration::from_millis(500), 1000);
    let limits = Limits { cpu, host_calls, memory_bytes: 16 << 20, reply_bytes: 1 << 20, ..Limits::default() };
    node.attach(package, ActorOptions { limits, ..ActorOptions::default() }).await.unwrap()
}

/// A message with texts as fields 1, 2, ….
fn message(texts: &[&str]) -> Bytes {
    let mut bytes = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        bytes.push((index as u8 + 1) << 3 | 2);
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.into()
}

async fn ask(actor: &ActorRef, name: &str, payload: Bytes) -> String {
    show(actor.call(route(name), payload).await)
}

async fn echo(actor: &ActorRef) -> String {
    ask(actor, "echo.EchoService.Echo", message(&["hello"])).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_engine_answers_and_calls_every_other() {
    let node = node();
    let echoes = [
        start(&node, package!("echo-wasm")).await,
        start(&node, package!("echo-native")).await,
        start(&node, package!("echo-c")).await,
    ];
    let callers = [
        start(&node, package!("caller-wasm")).await,
        start(&node, package!("caller-native")).await,
        start(&node, package!("caller-c")).await,
    ];
    for actor in &echoes {
        assert!(echo(actor).await.contains("hello"), "{actor:?}");
    }
    for caller in &callers[..2] {
        for callee in &echoes {
            let greet = message(&[&callee.id().actor_type().to_string(), "hello"]);
            let reply = ask(caller, "caller.CallerService.Greet", greet).await;
            assert!(reply.contains("hello"), "{caller:?} -> {callee:?}: {reply}");
        }
    }
    node.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_flow_between_engines() {
    let node = node();
    for (source, sink) in
        [(package!("source-wasm"), package!("sink-c")), (package!("source-native"), package!("sink-wasm"))]
    {
        let (source, sink) = (start(&node, source).await, start(&node, sink).await);
        let mut request = message(&[&sink.id().actor_type().to_string(), "s1"]).to_vec();
        request.extend_from_slice(&[0x18, 200, 1, 0x20, 10]);
        let reply = source.call(route("source.SourceService.Stream"), request.into()).await.unwrap();
        assert_eq!(reply, [0x08, 200, 1].as_slice());
        let total = || sink.call(route("sink.SinkService.Total"), Bytes::new());
        let end = Instant::now() + Duration::from_secs(10);
        // 200 chunks of 2,000 bytes in all; a guest in C also writes the zero behind.
        while !total().await.unwrap().starts_with(&[0x08, 200, 1, 0x10, 0xd0, 0x0f]) {
            assert!(Instant::now() < end, "{:?}", total().await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_cannot_hurt_its_neighbours() {
    let node = node();
    let (bad, good) = (start(&node, package!("misbehaving-wasm")).await, start(&node, package!("echo-wasm")).await);
    let amount = |mut number: u64| {
        let mut bytes = vec![0x08];
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        Bytes::from(bytes)
    };
    for (name, amount, code) in [
        ("Trap", amount(0), "[guest-trap]"),
        ("Loop", amount(0), "[guest-cpu-limit]"),
        ("Memory", amount(1 << 40), "[guest-memory-limit]"),
        ("Panic", amount(0), "[guest-trap]"),
        // Rust keeps a stack of its own in linear memory, which ends before the machine's does.
        ("Recurse", amount(1 << 40), "[guest-trap]"),
        ("GiantReply", amount(5 << 20), "[guest-reply-limit]"),
        ("HostCalls", amount(1 << 40), "[guest-host-call-limit]"),
        ("CallSelf", amount(0), "[call-cycle]"),
    ] {
        let call = tokio::spawn({
            let bad = bad.clone();
            async move { ask(&bad, &format!("misbehaving.MisbehavingService.{name}"), amount).await }
        });
        assert!(echo(&good).await.contains("hello"));
        let error = call.await.unwrap();
        assert!(error.contains(code), "{name}: {error}");
        let alive = bad.call(route("misbehaving.MisbehavingService.Ping"), Bytes::new()).await;
        assert!(alive.is_ok(), "after {name}: {alive:?}");
    }
}

#[tokio::test]
async fn what_is_not_trusted_or_altered_does_not_run() {
    let refused = |outcome: Result<ActorRef, NodeError>| outcome.unwrap_err().code().to_string();
    let nobody = Node::builder().start().unwrap();
    let options = ActorOptions::default;
    assert_eq!(refused(nobody.attach(package!("echo-wasm"), options()).await), "trust-unknown");
    let node = node();
    let mut altered = package!("echo-wasm").to_vec();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    // Of a deflated program it shows by its digest, or by its size before there is one to compare.
    let code = refused(node.attach(altered.into(), options()).await);
    assert!(["package-entry", "package-limit"].contains(&code.as_str()), "{code}");
    assert_eq!(refused(node.attach(package!("core-module-wat"), options()).await), "wasm-core-module");
    assert_eq!(refused(node.attach(package!("unknown-import-wat"), options()).await), "wasm-world");
    let trust = TrustPolicy::parse(TRUST, |file| Err(file.to_owned())).unwrap();
    let careful = Node::builder().trust(trust).start().unwrap();
    assert_eq!(refused(careful.attach(package!("echo-native"), options()).await), "native-not-allowed");
}

#[tokio::test]
async fn guests_that_are_hostile_from_birth_do_not_start() {
    let node = node();
    let limits = Limits { cpu: Duration::from_millis(100), ..Limits::default() };
    for (package, code) in [
        (package!("start-loop-wat"), "guest-cpu-limit"),
        (package!("memory-bomb-wat"), "guest-memory-limit"),
        (package!("table-bomb-wat"), "guest-memory-limit"),
    ] {
        let options = ActorOptions { limits: limits.clone(), ..ActorOptions::default() };
        let error = node.attach(package, options).await.unwrap_err();
        assert_eq!(error.code().text(), code, "{error}");
    }
    let pointer = start(&node, package!("hostile-pointer-wat")).await;
    let reply = ask(&pointer, "any.Thing.At", Bytes::new()).await;
    expect!["[guest-protocol]"].assert_eq(reply.rsplit(' ').next().unwrap());
}
