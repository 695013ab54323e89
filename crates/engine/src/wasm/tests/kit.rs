use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, Event, HostOp, HostReply, LogLevel, RequestId, RouteKey};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Resolve, WorldItem, WorldKey};

use crate::wasm::{WasmConfig, WasmEngine};
use crate::{Context, Failure, Host, HostFuture, Limits, Prepared, Seed, Workload};

pub(super) const PLAYHOUSE: &str = include_str!("../../../../abi/wit/playhouse/actor.wit");
pub(super) const SHAPE_A: &str = include_str!("../../../../abi/wit/actr-0.1-a/workload.wit");
pub(super) const SHAPE_B: &str = include_str!("../../../../abi/wit/actr-0.1-b/workload.wit");
pub(super) const SHAPE_C: &str = include_str!("../../../../abi/wit/actr-0.1-c/workload.wit");

/// Where a guest of the kit writes its results; zeroes, which mean `ok` of nothing, until it does.
pub(super) const RESULT: u32 = 1024;
/// Where a guest of the kit has memory for what its host gives it.
pub(super) const HEAP: u32 = 4096;

/// A guest: the bodies of the exports that matter, in WAT; all others answer `ok`. All imports of the world can be called by
/// their names; locals `$p0`, `$p1`… are the parameters.
pub(super) struct Source<'a> {
    pub(super) wit: &'a str,
    pub(super) bodies: &'a [(&'a str, &'a str)],
    /// Further definitions of the module.
    pub(super) more: &'a str,
}

impl Source<'_> {
    pub(super) fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", self.wit).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        let mut module = wat::parse_str(self.module(&resolve, world)).unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    fn module(&self, resolve: &Resolve, world: wit_parser::WorldId) -> String {
        let mut text = String::from("(module\n");
        for (interface, function) in functions(resolve, &resolve.worlds[world].imports) {
            let signature = signature(resolve, AbiVariant::GuestImport, function);
            let name = &function.name;
            writeln!(text, "(import \"{interface}\" \"{name}\" (func ${name} {signature}))").unwrap();
        }
        let heap = HEAP;
        writeln!(
            text,
            r#"(memory (export "memory") 2)
            (global $heap (mut i32) (i32.const {heap}))
            (func $realloc (export "cabi_realloc") (param $old i32) (param i32) (param $align i32) (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                    (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                    (i32.sub (i32.const 0) (local.get $align))))
                (global.set $heap (i32.add (local.get $at) (local.get $size)))
                (block $fits
                    (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
                    (br_if $fits (i32.ne (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1))) (i32.const -1)))
                    unreachable)
                (local.get $at))"#
        )
        .unwrap();
        for (interface, function) in functions(resolve, &resolve.worlds[world].exports) {
            let name = &function.name;
            let signature = signature(resolve, AbiVariant::GuestExport, function);
            let returns = signature.contains("result");
            let default = if returns { format!("(i32.const {RESULT})") } else { String::new() };
            let body = self.bodies.iter().find(|(of, _)| of == name).map_or(default.as_str(), |(_, body)| body);
            writeln!(text, "(func (export \"{interface}#{name}\") {signature} {body})").unwrap();
            if returns {
                let free = format!("(global.set $heap (i32.const {HEAP}))");
                writeln!(text, "(func (export \"cabi_post_{interface}#{name}\") (param i32) {free})").unwrap();
            }
        }
        text.push_str(self.more);
        text.push(')');
        text
    }
}

fn functions<'a>(
    resolve: &'a Resolve,
    items: impl IntoIterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<(String, &'a Function)> {
    let mut found = Vec::new();
    for (key, item) in items {
        if let WorldItem::Interface { id, .. } = item {
            let name = resolve.name_world_key(key);
            found.extend(resolve.interfaces[*id].functions.values().map(|function| (name.clone(), function)));
        }
    }
    found
}

fn signature(resolve: &Resolve, variant: AbiVariant, function: &Function) -> String {
    let signature = resolve.wasm_signature(variant, function);
    let ty = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    };
    let mut text = String::new();
    for (n, param) in signature.params.iter().enumerate() {
        write!(text, "(param $p{n} {}) ", ty(param)).unwrap();
    }
    for result in &signature.results {
        write!(text, "(result {}) ", ty(result)).unwrap();
    }
    text
}

/// What one guest asked for, and an answer to give.
type Answer = Box<dyn Fn(&HostOp) -> HostFuture + Send + Sync>;

/// A host that remembers what it was asked.
pub(super) struct FakeHost {
    pub(super) ops: Mutex<Vec<String>>,
    pub(super) logs: Mutex<Vec<String>>,
    answer: Answer,
}

impl FakeHost {
    /// Every operation is done, and every call echoes.
    pub(super) fn echo() -> Arc<Self> {
        Self::new(|op| {
            Ok(match op {
                HostOp::Call { payload, .. } => HostReply::Bytes(payload.clone()),
                HostOp::Discover { .. } => HostReply::Actor(other_id()),
                _ => HostReply::Done,
            })
        })
    }

    pub(super) fn new(answer: impl Fn(&HostOp) -> Result<HostReply, ActorError> + Send + Sync + 'static) -> Arc<Self> {
        Self::with(Box::new(move |op| Box::pin(std::future::ready(answer(op)))))
    }

    pub(super) fn with(answer: Answer) -> Arc<Self> {
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

pub(super) fn self_id() -> ActorId {
    "1a@7/acme:Echo:1.0.0".parse().unwrap()
}

pub(super) fn other_id() -> ActorId {
    "2b@7/acme:Other:2.0.0".parse().unwrap()
}

/// One engine for all tests that need none of their own.
pub(super) fn engine() -> WasmEngine {
    static ENGINE: std::sync::OnceLock<WasmEngine> = std::sync::OnceLock::new();
    ENGINE.get_or_init(|| WasmEngine::new(WasmConfig::default()).unwrap()).clone()
}

pub(super) fn load(component: &[u8]) -> Result<Arc<dyn Prepared>, ActorError> {
    engine().parts.load(component)
}

/// One actor, driven as a node would.
pub(super) struct Actor {
    pub(super) workload: Arc<dyn Workload>,
    pub(super) host: Arc<FakeHost>,
}

impl Actor {
    pub(super) async fn new(source: &Source<'_>) -> Self {
        Self::within(source, FakeHost::echo(), Limits::default()).await.unwrap()
    }

    pub(super) async fn within(source: &Source<'_>, host: Arc<FakeHost>, limits: Limits) -> Result<Self, ActorError> {
        let prepared = load(&source.component())?;
        let seed = Seed { self_id: self_id(), host: Arc::clone(&host) as Arc<dyn Host>, limits: Arc::new(limits) };
        Ok(Self { workload: prepared.create(seed).await?, host })
    }

    pub(super) fn context(&self, event: &Event) -> Context {
        Context {
            self_id: self_id(),
            caller: Some(other_id()),
            request_id: event.request_id().unwrap_or(RequestId::from_number(5)),
            deadline: None,
            chain: CallChain::root(),
            host: Arc::clone(&self.host) as Arc<dyn Host>,
        }
    }

    pub(super) fn start(&self, event: Event) -> Pin<Box<dyn Future<Output = crate::Outcome> + Send>> {
        Arc::clone(&self.workload).run(self.context(&event), event)
    }

    /// Delivers an event; what comes back, as text.
    pub(super) async fn tell(&self, event: Event) -> String {
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

    pub(super) async fn ask(&self, payload: &[u8]) -> String {
        self.tell(request(payload)).await
    }
}

pub(super) fn request(payload: &[u8]) -> Event {
    Event::Request { route: RouteKey::from_static("echo.Echo.Echo"), payload: Bytes::copy_from_slice(payload) }
}
