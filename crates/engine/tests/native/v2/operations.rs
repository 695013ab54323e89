//! Every operation there and back, for a guest that waits; and everything that a guest is told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use expect_test::expect;
use playhouse_types::{
    ActorError, ActorId, Code, CryptoOp, DataChunk, Dest, ErrorCategory, ErrorEvent, ErrorKind, Event, HashAlgorithm,
    HostOp, HostReply, KeyPurpose, Label, PayloadClass, PeerEvent, RuntimeEvent, Schedule, StateChange, StateEntry,
    StateKey, StateOp, StateVersion, Timer, TimerOp, Timestamp,
};
use playhouse_wire::native::v2::{read_error, read_reply, write_error, write_op};

use crate::support::{FakeHost, Guest, SELF_ID, context, library, request, text};

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn key(text: &'static str) -> StateKey {
    StateKey::new(text).unwrap()
}

fn entry(name: &'static str) -> StateEntry {
    StateEntry { key: key(name), value: bytes("value"), version: StateVersion::new(7).unwrap() }
}

fn change(name: &'static str, value: Option<Bytes>) -> StateChange {
    StateChange { key: key(name), value }
}

fn timer(schedule: Schedule) -> HostOp {
    let (name, route) = (label("name"), "a.B.C".parse().unwrap());
    HostOp::Timer(TimerOp::Set(Timer { name, schedule, route, payload: bytes("payload") }))
}

fn messages() -> Vec<(HostOp, HostReply)> {
    let id: ActorId = SELF_ID.parse().unwrap();
    let route = "a.B.C".parse().unwrap();
    let chunk = DataChunk {
        stream_id: "s".parse().unwrap(),
        sequence: 3,
        payload: bytes("data"),
        metadata: vec![("k".into(), "v".into())],
        timestamp_ms: Some(-1),
    };
    let call = |dest| HostOp::Call { dest, route: "a.B.C".parse().unwrap(), payload: bytes("payload") };
    vec![
        (call(Dest::Shell), HostReply::Bytes(bytes("reply"))),
        (call(Dest::Local), HostReply::Bytes(Bytes::new())),
        (call(Dest::Actor(id.clone())), HostReply::Bytes(vec![7; 100_000].into())),
        (HostOp::Tell { dest: Dest::Actor(id.clone()), route, payload: Bytes::new() }, HostReply::Done),
        (HostOp::Discover { actor_type: id.actor_type().clone() }, HostReply::Actor(id)),
        (HostOp::RegisterStream { stream_id: "s".parse().unwrap() }, HostReply::Done),
        (HostOp::UnregisterStream { stream_id: "s".parse().unwrap() }, HostReply::Done),
        (HostOp::SendChunk { dest: Dest::Shell, chunk, class: PayloadClass::StreamLatencyFirst }, HostReply::Done),
    ]
}

fn state_and_timers() -> Vec<(HostOp, HostReply)> {
    let writes = vec![change("a", Some(bytes("1"))), change("b", None), change("c", Some(Bytes::new()))];
    let compare = |expected, value| HostOp::State(StateOp::CompareAndSet { expected, change: change("a", value) });
    let scan = |after| HostOp::State(StateOp::Scan { prefix: bytes("p"), after, limit: 10 });
    vec![
        (HostOp::State(StateOp::Get { key: key("a") }), HostReply::Entry(None)),
        (HostOp::State(StateOp::Get { key: key("a") }), HostReply::Entry(Some(entry("a")))),
        (HostOp::State(StateOp::Write { changes: writes }), HostReply::Done),
        (compare(None, Some(bytes("x"))), HostReply::Flag(true)),
        (compare(StateVersion::new(9), None), HostReply::Flag(false)),
        (scan(None), HostReply::Entries { entries: vec![], more: false }),
        (scan(Some(key("pa"))), HostReply::Entries { entries: vec![entry("pb"), entry("pc")], more: true }),
        (timer(Schedule::After(Duration::from_millis(1500))), HostReply::Done),
        (timer(Schedule::At(Timestamp::clamped(5, 6))), HostReply::Done),
        (timer(Schedule::Every(Duration::from_secs(60))), HostReply::Done),
        (timer(Schedule::Cron("* * * * *".into())), HostReply::Done),
        (HostOp::Timer(TimerOp::Cancel { name: label("name") }), HostReply::Done),
    ]
}

fn keys_and_settings() -> Vec<(HostOp, HostReply)> {
    let (key, into) = (|| label("key"), || label("into"));
    let (data, context) = (|| bytes("data"), || bytes("context"));
    let out = || HostReply::Bytes(bytes("out"));
    let crypto = [
        (CryptoOp::PublicKey { key: key(), purpose: KeyPurpose::Sign }, out()),
        (CryptoOp::PublicKey { key: key(), purpose: KeyPurpose::Agree }, out()),
        (CryptoOp::Sign { key: key(), message: data() }, out()),
        (CryptoOp::Verify { public_key: bytes("pk"), message: data(), signature: bytes("s") }, HostReply::Flag(true)),
        (CryptoOp::Seal { key: key(), plaintext: data(), context: context() }, out()),
        (CryptoOp::Open { key: key(), ciphertext: data(), context: context() }, out()),
        (CryptoOp::Agree { key: key(), peer: data(), context: context(), into: into() }, HostReply::Done),
        (CryptoOp::Derive { key: key(), context: context(), into: into() }, HostReply::Done),
        (CryptoOp::Hash { algorithm: HashAlgorithm::Sha256, data: data() }, out()),
        (CryptoOp::Hash { algorithm: HashAlgorithm::Sha512, data: data() }, out()),
        (CryptoOp::Mac { key: key(), message: data() }, out()),
        (CryptoOp::VerifyMac { key: key(), message: data(), tag: bytes("tag") }, HostReply::Flag(false)),
    ];
    let mut all: Vec<_> = crypto.into_iter().map(|(op, reply)| (HostOp::Crypto(op), reply)).collect();
    all.extend([
        (HostOp::Config { name: label("name") }, HostReply::Maybe(Some(bytes("value")))),
        (HostOp::Config { name: label("name") }, HostReply::Maybe(Some(Bytes::new()))),
        (HostOp::Secret { name: label("name") }, HostReply::Maybe(None)),
        (HostOp::Random { bytes: 32 }, HostReply::Bytes(vec![9; 32].into())),
        (HostOp::Now, HostReply::Time(Timestamp::clamped(1_800_000_000, 5))),
    ]);
    all
}

/// An operation for the guest: its number, then its message.
pub(super) fn order(op: HostOp) -> (u32, Vec<u8>) {
    let mut message = Vec::new();
    let number = write_op(op, &mut message);
    let mut order = vec![u8::try_from(number).unwrap()];
    order.extend(message);
    (number, order)
}

type Answer = Result<HostReply, ActorError>;

/// A host that notes what it is asked, and answers as it is told to.
fn noting(answer: Arc<Mutex<Answer>>) -> (Arc<dyn playhouse_engine::Host>, Arc<Mutex<Vec<HostOp>>>) {
    let asked = Arc::<Mutex<Vec<HostOp>>>::default();
    let note = Arc::clone(&asked);
    let host = FakeHost::prompt(move |op| {
        note.lock().unwrap().push(op);
        answer.lock().unwrap().clone()
    });
    (host, asked)
}

/// Has the guest carry out an operation and hand on its status and result.
async fn perform(guest: &Guest, order: &[u8]) -> (i32, Bytes) {
    let reply = guest.request("a.A.Perform", order).await.unwrap();
    (i32::from_ne_bytes(reply[..4].try_into().unwrap()), reply.slice(4..))
}

#[tokio::test]
async fn every_operation_there_and_back() {
    let Some(library) = library("moody", &[]) else { return };
    let answer = Arc::new(Mutex::new(Ok(HostReply::Done)));
    let (host, asked) = noting(Arc::clone(&answer));
    let guest = Guest::new(library, host).await;
    for (op, reply) in messages().into_iter().chain(state_and_timers()).chain(keys_and_settings()) {
        let shown = format!("{op:?}");
        let (number, order_bytes) = order(op);
        *answer.lock().unwrap() = Ok(reply.clone());
        let (status, result) = perform(&guest, &order_bytes).await;
        assert_eq!(status, 0, "{shown}");
        assert_eq!(read_reply(number, result), Ok(reply), "{shown}");
        // What the host was asked is what was meant: some operations do not show their parts, but all are written alike.
        let got = asked.lock().unwrap().pop().unwrap();
        assert_eq!(order(got).1, order_bytes, "{shown}");
    }
}

#[tokio::test]
async fn errors_of_the_host_keep_all_their_parts() {
    let Some(library) = library("moody", &[]) else { return };
    let answer = Arc::new(Mutex::new(Ok(HostReply::Done)));
    let (host, _) = noting(Arc::clone(&answer));
    let guest = Guest::new(library, host).await;
    for error in errors() {
        *answer.lock().unwrap() = Err(error.clone());
        let (status, result) = perform(&guest, &order(HostOp::Now).1).await;
        assert_eq!((status, read_error(&result)), (-3, error));
    }
}

#[tokio::test]
async fn errors_of_the_guest_keep_all_their_parts() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    for error in errors() {
        let mut encoded = Vec::new();
        write_error(&error, &mut encoded);
        let outcome = guest.request("a.A.Fail", &encoded).await;
        assert_eq!(outcome, Err(playhouse_engine::Failure::Error(error)));
    }
    expect!["error internal error: a failure of 3 bytes that does not decode [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.Fail", b"\xff\xff\xff").await));
    expect!["error internal error: "].assert_eq(&text(&guest.request("a.A.Fail", b"").await));
    let long = vec![b'x'; 1 << 20];
    expect!["error internal error: a failure of 1048576 bytes that does not decode [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.Fail", &long).await));
}

fn errors() -> Vec<ActorError> {
    let plain = ErrorKind::ALL.iter().map(|kind| ActorError::new(*kind, "a text"));
    let mut all: Vec<_> = plain.filter(|error| error.kind() != ErrorKind::DependencyNotFound).collect();
    all.extend([
        ActorError::dependency_not_found("service", "none"),
        ActorError::connection_not_ready(Some(250), "soon"),
        ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full"),
        ActorError::new(ErrorKind::TimedOut, ""),
    ]);
    all
}

#[tokio::test]
async fn operations_that_are_malformed_are_answered_with_the_rule() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    let mut heard = String::new();
    let orders: [&[u8]; 12] = [
        b"\x01\x0a\x05",
        b"\x01",
        b"\x10",
        b"\x11\x0a\x00",
        b"\x12",
        b"\x18\x0a\x01n\x12\x05a.B.C",
        b"\x18\x0a\x01n\x12\x05a.B.C\x22\x06\x10\xff\xff\xff\xff\x0f",
        b"\x19",
        b"\x20\x0a\x01k\x38\x09",
        b"\x27\x38\x03",
        b"\x30\xff",
        b"\x32\x0a\x00",
    ];
    for order in orders {
        let (status, result) = perform(&guest, order).await;
        heard.push_str(&format!("{status} {}\n", read_error(&result).to_text()));
    }
    expect![[r#"
        -3 decode failure: operation does not decode [malformed-operation]
        -3 invalid argument: destination is missing [malformed-operation]
        -3 invalid argument: state key "" is empty [malformed-operation]
        -3 invalid argument: state key "" is empty [malformed-operation]
        -3 invalid argument: change is missing [malformed-operation]
        -3 invalid argument: schedule is missing [malformed-operation]
        -3 invalid argument: number of nanoseconds 4294967295 is not known [malformed-operation]
        -3 invalid argument: label "" is empty [malformed-operation]
        -3 invalid argument: purpose of a key 9 is not known [malformed-operation]
        -3 invalid argument: algorithm of a hash 3 is not known [malformed-operation]
        -3 decode failure: name does not decode [malformed-operation]
        -3 decode failure: wish for randomness does not decode [malformed-operation]
    "#]]
    .assert_eq(&heard);
    // An empty change has 2 bytes here and 72 in memory.
    let bomb: Vec<u8> = std::iter::once(0x11).chain([0x0a, 0].into_iter().cycle().take(2 << 20)).collect();
    let (_, result) = perform(&guest, &bomb).await;
    expect!["invalid argument: 1048576 state changes, at most 10000 are allowed [malformed-operation]"]
        .assert_eq(&read_error(&result).to_text());
}

#[tokio::test]
async fn the_guest_hears_all_that_surrounds_an_event() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok "r-1 33 untold unasked-1""#]].assert_eq(&text(&guest.request("a.A.Around", b"").await));
    let mut timed = context(&guest.host);
    timed.deadline = Some(Instant::now() + Duration::from_secs(60));
    timed.caller = None;
    let run = Arc::clone(&guest.workload).run(timed, request("a.A.Around", b""));
    expect![[r#"ok "r-1 0 told asked-1""#]].assert_eq(&text(&run.await));
    let id = guest.request("a.A.Birth", b"").await.unwrap();
    let id: playhouse_wire::proto::ActrId = prost::Message::decode(id).unwrap();
    assert_eq!(ActorId::try_from(&id).unwrap().to_string(), SELF_ID);
    expect!["error unknown route: a.A.No"].assert_eq(&text(&guest.request("a.A.No", b"").await));
}

#[tokio::test]
async fn lifecycle_hooks_and_the_log() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, log) = FakeHost::logging();
    let guest = Guest::new(library, host).await;
    let chunk = DataChunk {
        stream_id: "s".parse().unwrap(),
        sequence: 0,
        payload: bytes("data"),
        metadata: vec![],
        timestamp_ms: None,
    };
    let peer = PeerEvent { peer: SELF_ID.parse().unwrap(), relayed: Some(true) };
    let error = ErrorEvent {
        source: ActorError::new(ErrorKind::Internal, "x"),
        category: ErrorCategory::HandlerError,
        context: "here".to_owned(),
        timestamp: Timestamp::clamped(1, 2),
    };
    let events = [
        Event::Start,
        Event::Ready,
        Event::Chunk { chunk, sender: SELF_ID.parse().unwrap() },
        Event::Error(error),
        Event::Runtime(RuntimeEvent::SignalingConnected),
        Event::Runtime(RuntimeEvent::WebrtcConnected(peer)),
        Event::Runtime(RuntimeEvent::MailboxBackpressure { queue_len: 2, threshold: 1 }),
        Event::Stop,
    ];
    let mut outcomes = Vec::new();
    for event in events {
        outcomes.push(text(&guest.run(event).await));
    }
    expect![[r#"
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        error internal error: handle returned -1 [guest-protocol]"#]]
    .assert_eq(&outcomes.join("\n"));
    expect![[r#"
        info born
        info 3/0 r-1 0
        info 2/0 r-1 11
        info 6/0 r-1 21
        info 7/2 r-1 0
        info 7/8 r-1 42
        info 7/12 r-1 6"#]]
    .assert_eq(&log.lock().unwrap().join("\n"));
}

/// What is over the limit is dropped, which is said once per event.
#[tokio::test]
async fn the_log_has_a_limit() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, log) = FakeHost::logging();
    let limits = playhouse_engine::Limits { log_bytes: 10, ..Default::default() };
    let guest = Guest::try_new(library, host, limits).await.unwrap();
    for _ in 0..2 {
        assert!(guest.request("a.A.Talk", "seve\u{e4}n".as_bytes()).await.is_ok());
    }
    expect![[r#"
        info born
        warn seveän
        warn sev
        warn log text over 10 bytes in one event was dropped
        warn seveän
        warn sev
        warn log text over 10 bytes in one event was dropped"#]]
    .assert_eq(&log.lock().unwrap().join("\n"));
}
