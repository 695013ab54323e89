use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_crypto::Digest;
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, Event, HostOp, HostReply, LogLevel, RequestId, RouteKey};

pub(in crate::wasm) use super::source::{OPERATIONS, PLAYHOUSE, SHAPE_A, SHAPE_B, SHAPE_C, Source};
use crate::wasm::{WasmConfig, WasmEngine};
use crate::{Context, Failure, Host, HostFuture, Limits, Prepared, Seed, Workload};

/// What one guest asked for, and an answer to give.
type Answer = Box<dyn Fn(&HostOp) -> HostFuture + Send + Sync>;

/// A host that remembers what it was asked.
pub(in crate::wasm) struct FakeHost {
    pub(in crate::wasm) ops: Mutex<Vec<String>>,
    pub(in crate::wasm) logs: Mutex<Vec<String>>,
    answer: Answer,
}

impl FakeHost {
    /// Every operation is done, and every call echoes.
    pub(in crate::wasm) fn echo() -> Arc<Self> {
        Self::new(|op| {
            Ok(match op {
                HostOp::Call { payload, .. } => HostReply::Bytes(payload.clone()),
                HostOp::Discover { .. } => HostReply::Actor(other_id()),
                _ => HostReply::Done,
            })
        })
    }

    pub(in crate::wasm) fn new(
        answer: impl Fn(&HostOp) -> Result<HostReply, ActorError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with(Box::new(move |op| Box::pin(std::future::ready(answer(op)))))
    }

    pub(in crate::wasm) fn with(answer: Answer) -> Arc<Self> {
        Arc::new(Self { ops: Mutex::default(), logs: Mutex::default(), answer })
    }
}

impl Host for FakeHost {
    fn perform(&self, context: &Context, op: HostOp) -> HostFuture {
        self.ops.lock().push(format!("{} {op:?}", context.request_id));
        (self.answer)(&op)
    }

    fn log(&self, _: &ActorId, level: LogLevel, text: &str) {
        self.logs.lock().push(format!("{}: {text}", level.name()));
    }
}

pub(in crate::wasm) fn self_id() -> ActorId {
    "1a@7/acme:Echo:1.0.0".parse().unwrap()
}

pub(in crate::wasm) fn other_id() -> ActorId {
    "2b@7/acme:Other:2.0.0".parse().unwrap()
}

/// One engine for all tests that need none of their own.
pub(in crate::wasm) fn engine() -> WasmEngine {
    static ENGINE: std::sync::OnceLock<WasmEngine> = std::sync::OnceLock::new();
    ENGINE.get_or_init(|| WasmEngine::new(WasmConfig::default()).unwrap()).clone()
}

pub(in crate::wasm) fn load(component: &[u8]) -> Result<Arc<dyn Prepared>, ActorError> {
    engine().parts.load(component, Digest::of(component))
}

/// One actor, driven as a node would.
pub(in crate::wasm) struct Actor {
    pub(in crate::wasm) workload: Arc<dyn Workload>,
    pub(in crate::wasm) host: Arc<FakeHost>,
}

impl Actor {
    pub(in crate::wasm) async fn new(source: &Source<'_>) -> Self {
        Self::within(source, FakeHost::echo(), Limits::default()).await.unwrap()
    }

    pub(in crate::wasm) async fn within(
        source: &Source<'_>,
        host: Arc<FakeHost>,
        limits: Limits,
    ) -> Result<Self, ActorError> {
        Self::from(&source.component(), host, limits).await
    }

    pub(in crate::wasm) async fn from(
        component: &[u8],
        host: Arc<FakeHost>,
        limits: Limits,
    ) -> Result<Self, ActorError> {
        let prepared = load(component)?;
        let seed = Seed { self_id: self_id(), host: Arc::clone(&host) as Arc<dyn Host>, limits: Arc::new(limits) };
        Ok(Self { workload: prepared.create(seed).await?, host })
    }

    pub(in crate::wasm) fn context(&self, event: &Event) -> Context {
        Context {
            self_id: self_id(),
            caller: Some(other_id()),
            request_id: event.request_id().unwrap_or(RequestId::from_number(5)),
            deadline: None,
            chain: CallChain::root(),
            host: Arc::clone(&self.host) as Arc<dyn Host>,
        }
    }

    pub(in crate::wasm) fn start(&self, event: Event) -> Pin<Box<dyn Future<Output = crate::Outcome> + Send>> {
        Arc::clone(&self.workload).run(self.context(&event), event)
    }

    /// Delivers an event; what comes back, as text.
    pub(in crate::wasm) async fn tell(&self, event: Event) -> String {
        let outcome = tokio::time::timeout(Duration::from_secs(20), self.start(event)).await.expect("the event hangs");
        let mut text = match outcome {
            Ok(bytes) => format!("ok {:?}", String::from_utf8_lossy(&bytes)),
            Err(Failure::Error(error)) => format!("error {error:?}"),
            Err(Failure::Crash(error)) => format!("crash {error:?}"),
        };
        if self.workload.is_lost() {
            text.push_str(" (lost)");
        }
        text
    }

    pub(in crate::wasm) async fn ask(&self, payload: &[u8]) -> String {
        self.tell(request(payload)).await
    }
}

pub(in crate::wasm) fn request(payload: &[u8]) -> Event {
    Event::Request { route: RouteKey::from_static("echo.Echo.Echo"), payload: Bytes::copy_from_slice(payload) }
}
