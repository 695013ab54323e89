//! The guest `ledger`, which is written with the Rust SDK, on a host that keeps state, timers and keys in memory.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_engine::{Context, Failure, Host, HostFuture, Limits, Prepared, Seed, Workload};
use playhouse_types::{
    ActorError, ActorId, Code, CryptoOp, ErrorKind, Event, HostOp, HostReply, LogLevel, LogText, RouteKey, Schedule,
    StateChange, StateEntry, StateKey, StateOp, Timer, TimerOp, Timestamp,
};
use prost::Message;

use crate::{context, create, create_within, id, prepared, verified};

/// What a node does for one actor, less what it is there for.
#[derive(Default)]
struct Memory {
    values: BTreeMap<StateKey, (Bytes, u64)>,
    writes: u64,
    timers: Vec<Timer>,
}

impl Memory {
    fn write(&mut self, change: StateChange) {
        self.writes += 1;
        match change.value {
            Some(value) => drop(self.values.insert(change.key, (value, self.writes))),
            None => drop(self.values.remove(&change.key)),
        }
    }

    fn entry(&self, key: &StateKey) -> Option<StateEntry> {
        let (value, version) = self.values.get(key)?;
        Some(StateEntry { key: key.clone(), value: value.clone(), version: NonZeroU64::new(*version).unwrap() })
    }

    fn state(&mut self, op: StateOp) -> HostReply {
        match op {
            StateOp::Get { key } => HostReply::Entry(self.entry(&key)),
            StateOp::Write { changes } => {
                changes.into_iter().for_each(|change| self.write(change));
                HostReply::Done
            }
            StateOp::CompareAndSet { expected, change } => {
                let same = self.entry(&change.key).map(|entry| entry.version) == expected;
                if same {
                    self.write(change);
                }
                HostReply::Flag(same)
            }
            StateOp::Scan { prefix, after, limit } => {
                let behind = |key: &StateKey| after.as_ref().is_none_or(|after| key > after);
                let keys = self.values.keys().filter(|key| key.as_bytes().starts_with(&prefix) && behind(key));
                let mut entries: Vec<_> = keys.filter_map(|key| self.entry(key)).collect();
                let more = entries.len() > limit as usize;
                entries.truncate(limit as usize);
                HostReply::Entries { entries, more }
            }
        }
    }
}

/// Seals by turning bytes around, and signs with a word.
fn crypto(op: CryptoOp) -> HostReply {
    let turned = |bytes: &Bytes| HostReply::Bytes(bytes.iter().rev().copied().collect());
    match op {
        CryptoOp::Seal { plaintext, .. } => turned(&plaintext),
        CryptoOp::Open { ciphertext, .. } => turned(&ciphertext),
        CryptoOp::Sign { .. } => HostReply::Bytes(Bytes::from_static(b"signed")),
        CryptoOp::PublicKey { .. } => HostReply::Bytes(Bytes::from_static(b"public")),
        other => unreachable!("the ledger does not ask for {other:?}"),
    }
}

#[derive(Default)]
struct Desk {
    memory: Mutex<Memory>,
    denied: Option<&'static str>,
    log: Mutex<Vec<String>>,
}

impl Host for Desk {
    fn perform(&self, _: &Context, op: HostOp) -> HostFuture {
        if self.denied == Some(op.grant()) {
            let error = ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, op.grant());
            return Box::pin(std::future::ready(Err(error)));
        }
        let mut memory = self.memory.lock();
        let reply = match op {
            HostOp::State(op) => memory.state(op),
            HostOp::Timer(TimerOp::Set(timer)) => {
                memory.timers.push(timer);
                HostReply::Done
            }
            HostOp::Crypto(op) => crypto(op),
            HostOp::Config { name } => HostReply::Maybe(Some(Bytes::copy_from_slice(name.as_str().as_bytes()))),
            HostOp::Random { bytes } => HostReply::Bytes(vec![0xab; bytes as usize].into()),
            HostOp::Now => HostReply::Time(Timestamp::clamped(1_700_000_000, 0)),
            other => unreachable!("the ledger does not ask for {other:?}"),
        };
        Box::pin(std::future::ready(Ok(reply)))
    }

    fn log(&self, _: &ActorId, level: LogLevel, text: &str) {
        self.log.lock().push(format!("{}: {}", level.name(), LogText::parse(text)));
    }
}

#[derive(Clone, PartialEq, Message)]
struct Book {
    #[prost(int64, tag = "1")]
    amount: i64,
    #[prost(string, tag = "2")]
    what: String,
}

#[derive(Clone, PartialEq, Message)]
struct Balance {
    #[prost(int64, tag = "1")]
    sum: i64,
    #[prost(uint64, tag = "2")]
    entries: u64,
    #[prost(uint64, tag = "3")]
    reminded: u64,
    #[prost(string, tag = "4")]
    currency: String,
}

#[derive(Clone, PartialEq, Message)]
struct Page {
    #[prost(uint64, tag = "1")]
    after: u64,
    #[prost(uint32, tag = "2")]
    limit: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(bytes = "bytes", tag = "2")]
    signature: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    public_key: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    number: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Entries {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<Number>,
    #[prost(bool, tag = "2")]
    more: bool,
}

const PACKAGE: &str = "ledger-wasm.actr";

struct Ledger {
    workload: Arc<dyn Workload>,
    desk: Arc<Desk>,
}

impl Ledger {
    async fn new() -> Self {
        Self::of(&*prepared(PACKAGE).await, None).await
    }

    async fn of(program: &dyn Prepared, denied: Option<&'static str>) -> Self {
        let desk = Arc::new(Desk { denied, ..Desk::default() });
        let host = Arc::clone(&desk) as Arc<dyn Host>;
        let seed = Seed { self_id: id(), host, limits: Arc::default() };
        Self { workload: program.create(seed).await.unwrap(), desk }
    }

    async fn bytes(&self, method: &str, payload: Bytes) -> Result<Bytes, ActorError> {
        let route: RouteKey = format!("ledger.LedgerService.{method}").parse().unwrap();
        let context = Context { host: Arc::clone(&self.desk) as Arc<dyn Host>, ..context(None) };
        let event = Event::Request { route, payload };
        Arc::clone(&self.workload).run(context, event).await.map_err(Failure::into_error)
    }

    async fn ask<R: Message + Default>(&self, method: &str, request: &impl Message) -> R {
        let reply = self.bytes(method, request.encode_to_vec().into()).await.unwrap();
        R::decode(reply).unwrap()
    }
}

#[tokio::test]
async fn keeps_its_book_in_its_state() {
    let program = prepared(PACKAGE).await;
    let ledger = Ledger::of(&*program, None).await;
    for (amount, sum) in [(5, 5), (-7, -2), (30, 28)] {
        let balance: Balance = ledger.ask("Book", &Book { amount, what: "x".into() }).await;
        assert_eq!((balance.sum, balance.currency.as_str()), (sum, "currency"));
    }
    let page: Entries = ledger.ask("Entries", &Page { after: 1, limit: 1 }).await;
    assert_eq!((page.entries, page.more), (vec![Number { number: 2 }], true));
    // Another instance finds what this one has left.
    let again = Ledger { workload: create(&*program).await, desk: Arc::clone(&ledger.desk) };
    let balance: Balance = again.ask("Sum", &()).await;
    assert_eq!((balance.sum, balance.entries), (28, 3));
    assert_eq!(again.ask::<Number>("Clear", &()).await, Number { number: 3 });
    assert!(ledger.desk.memory.lock().values.is_empty());
}

/// As packages of today do it, and as those did that were built before there was an interface for it.
#[tokio::test]
async fn logs_with_fields() {
    let before = "../../crates/engine/tests/fixtures/ledger-logs-text.actr";
    for (package, by_interface) in [(PACKAGE, true), (before, false)] {
        let binary = verified(package).binary().clone();
        let name = b"playhouse:actor/log@0.1.0";
        assert_eq!(binary.windows(name.len()).any(|window| window == name), by_interface, "{package}");
        let ledger = Ledger::of(&*prepared(package).await, None).await;
        ledger.ask::<Balance>("Book", &Book { amount: 1, what: "x".into() }).await;
        ledger.ask::<Number>("Clear", &()).await;
        assert_eq!(*ledger.desk.log.lock(), ["info: the book is cleared entries=1"], "{package}");
    }
}

#[tokio::test]
async fn is_reminded_by_a_timer() {
    let ledger = Ledger::new().await;
    ledger.ask::<()>("Remind", &Number { number: 1500 }).await;
    let timer = ledger.desk.memory.lock().timers.pop().unwrap();
    assert_eq!(timer.name.as_str(), "remind");
    assert_eq!(timer.schedule, Schedule::After(std::time::Duration::from_millis(1500)));
    let method = timer.route.as_str().rsplit('.').next().unwrap();
    ledger.bytes(method, timer.payload).await.unwrap();
    assert_eq!(ledger.ask::<Balance>("Sum", &()).await.reminded, 1);
}

#[tokio::test]
async fn seals_and_signs() {
    let ledger = Ledger::new().await;
    let missing = ledger.bytes("Recall", Bytes::new()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    ledger.ask::<()>("Keep", &Text { text: "hidden".into(), ..Text::default() }).await;
    let kept = StateKey::new("kept").unwrap();
    assert_eq!(ledger.desk.memory.lock().values[&kept].0, "neddih");
    assert_eq!(ledger.ask::<Text>("Recall", &()).await.text, "hidden");
    let statement: Text = ledger.ask("Statement", &()).await;
    assert_eq!(statement.text, "1@7/acme:Echo:1.0.0 has 0 in 0 entries; abababababababab");
    assert_eq!((&*statement.signature, &*statement.public_key), (&b"signed"[..], &b"public"[..]));
}

/// What is not granted is an error of the handler's, with its code.
#[tokio::test]
async fn hears_of_missing_grants() {
    let program = prepared(PACKAGE).await;
    for (grant, method) in [
        ("state", "Sum"),
        ("clock", "Book"),
        ("config", "Sum"),
        ("timers", "Remind"),
        ("crypto", "Keep"),
        ("random", "Statement"),
    ] {
        let refused = Ledger::of(&*program, Some(grant)).await.bytes(method, Bytes::new()).await.unwrap_err();
        assert_eq!(refused, ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, grant));
    }
}

/// Each breaks a limit; none gets through to the state, and none takes the engine with it.
#[tokio::test]
async fn bombs_of_the_state_end() {
    let program = prepared("state-bomb-wat.actr").await;
    let desk = Arc::new(Desk::default());
    for (payload, code) in [
        ("g", Code::MalformedOperation),
        ("v", Code::MalformedOperation),
        ("k", Code::GuestHostCallLimit),
        ("s", Code::GuestHostCallLimit),
        ("w", Code::GuestReplyLimit),
    ] {
        let workload = create_within(&*program, Limits { host_calls: 1000, ..Limits::default() }).await;
        let bomb = Ledger { workload, desk: Arc::clone(&desk) };
        let ended = bomb.bytes("Any", Bytes::from_static(payload.as_bytes())).await.unwrap_err();
        assert_eq!(ended.code(), code, "{payload}: {ended}");
        desk.memory.lock().values.clear();
    }
}
