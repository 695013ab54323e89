//! Guests compiled from `guests/native` or from a text, packed, signed, verified and run, with a host that is a script.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use playhouse_crypto::{Digest, SigningKey};
use playhouse_engine::native::NativeEngine;
use playhouse_engine::{Context, Engine, Failure, Host, HostFuture, Limits, Outcome, Seed, Workload};
use playhouse_package::{Builder, PackageLimits, TrustPolicy, VerifiedPackage, verify};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, ActorType, Event, HostOp, HostReply, LogLevel, RequestId};

pub(crate) const SELF_ID: &str = "1a2b3c@7/acme:EchoService:1.0.0";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether a C compiler is here. Without one the tests say so and pass, except in CI.
fn compiler() -> Option<String> {
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&cc).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(cc);
    }
    assert!(std::env::var_os("CI").is_none(), "no C compiler `{cc}`, which CI must have");
    eprintln!("SKIPPED: no C compiler `{cc}`; native guests are not tested");
    None
}

/// The source of a guest: one that people may read, or one that only these tests need.
fn source(name: &str) -> PathBuf {
    let places = ["guests/native", "crates/engine/tests/native/guests"].map(|folder| root().join(folder).join(name));
    let files = places.iter().flat_map(|place| ["c", "cpp"].map(|kind| place.with_extension(kind)));
    let found: Vec<_> = files.filter(|file| file.exists()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Compiles a guest in C as C++.
pub(crate) const AS_CPP: &str = "AS_CPP";

/// The library of a guest in C or C++ compiled with some definitions; none if there is no compiler.
pub(crate) fn library(name: &str, defines: &[&str]) -> Option<Bytes> {
    let compiler = compiler()?;
    let source = source(name);
    let include = root().join("crates/abi/include");
    // A C compiler takes C++ by its suffix, and links it if it is told to.
    let as_cpp = defines.contains(&AS_CPP);
    let mut flags = if as_cpp || source.extension().is_some_and(|kind| kind == "cpp") {
        vec!["-std=c++17", "-lstdc++"]
    } else {
        vec!["-std=c99"]
    };
    flags.extend(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O2", "-pthread"]);
    if std::env::var_os("PLAYHOUSE_ASAN").is_some() {
        flags.extend(["-g", "-fsanitize=address", "-fno-omit-frame-pointer"]);
    }
    let defines: Vec<_> = defines.iter().map(|define| format!("-D{define}")).collect();

    // Compiled once for all test processes: the name says what from.
    let headers = ["playhouse.h", "playhouse_v2.h"].map(|name| include.join(name));
    let texts = [&source, &headers[0], &headers[1]].map(|path| std::fs::read(path).unwrap());
    let digest = Digest::of(format!("{compiler} {flags:?} {defines:?} {texts:?}").as_bytes());
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{digest}.so"));
    if let Ok(bytes) = std::fs::read(&kept) {
        return Some(bytes.into());
    }
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let out = directory.path().join("guest.so");
    let mut command = Command::new(compiler);
    command
        .args(as_cpp.then_some("-xc++"))
        .arg("-I")
        .arg(include)
        .args(defines)
        .arg(source)
        .args(flags)
        .arg("-o")
        .arg(&out);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&out).unwrap();
    std::fs::rename(&out, &kept).unwrap();
    Some(bytes.into())
}

pub(crate) fn package(library: Bytes, target: &str) -> VerifiedPackage {
    let actor_type: ActorType = "acme:EchoService:1.0.0".parse().unwrap();
    let key = SigningKey::from_seed(&[7; SigningKey::SEED_LENGTH]);
    let bytes = Builder::new(actor_type.clone(), target, library).build(&key).unwrap();
    let policy = TrustPolicy::for_key(actor_type.manufacturer().clone(), key.verifying_key());
    verify(bytes, &policy, 1_800_000_000, &PackageLimits::default()).unwrap()
}

pub(crate) fn here() -> String {
    let env = if cfg!(target_env = "musl") {
        "-musl"
    } else if cfg!(target_env = "gnu") {
        "-gnu"
    } else {
        ""
    };
    format!("{}-unknown-{}{env}", std::env::consts::ARCH, std::env::consts::OS)
}

type Script = dyn Fn(&Context, HostOp) -> HostFuture + Send + Sync;

/// A host that answers as a test says and remembers what it is told for the log.
pub(crate) struct FakeHost {
    script: Box<Script>,
    log: Arc<Mutex<Vec<String>>>,
}

impl FakeHost {
    pub(crate) fn scripted(script: impl Fn(&Context, HostOp) -> HostFuture + Send + Sync + 'static) -> Arc<dyn Host> {
        Arc::new(Self { script: Box::new(script), log: Arc::default() })
    }

    /// A host that nothing is asked of, and what it is told for the log.
    pub(crate) fn logging() -> (Arc<dyn Host>, Arc<Mutex<Vec<String>>>) {
        let log = Arc::<Mutex<Vec<String>>>::default();
        let script = |_: &Context, op: HostOp| panic!("asked for {op:?}");
        (Arc::new(Self { script: Box::new(script), log: Arc::clone(&log) }), log)
    }

    /// A host that answers at once.
    pub(crate) fn prompt(
        script: impl Fn(HostOp) -> Result<HostReply, ActorError> + Send + Sync + 'static,
    ) -> Arc<dyn Host> {
        Self::scripted(move |_, op| Box::pin(std::future::ready(script(op))))
    }

    /// A host that nothing should be asked of.
    pub(crate) fn silent() -> Arc<dyn Host> {
        Self::prompt(|op| panic!("asked for {op:?}"))
    }
}

impl Host for FakeHost {
    fn perform(&self, context: &Context, op: HostOp) -> HostFuture {
        (self.script)(context, op)
    }

    fn log(&self, actor: &ActorId, level: LogLevel, text: &str) {
        assert_eq!(actor.to_string(), SELF_ID);
        self.log.lock().unwrap().push(format!("{} {text}", level.name()));
    }
}

pub(crate) fn context(host: &Arc<dyn Host>) -> Context {
    Context {
        self_id: SELF_ID.parse().unwrap(),
        caller: Some("2@7/acme:EchoClient:1.0.0".parse().unwrap()),
        request_id: "r-1".parse::<RequestId>().unwrap(),
        deadline: None,
        chain: CallChain::root(),
        host: Arc::clone(host),
    }
}

pub(crate) fn request(route: &str, payload: &[u8]) -> Event {
    Event::Request { route: route.parse().unwrap(), payload: Bytes::copy_from_slice(payload) }
}

/// A guest that lives.
pub(crate) struct Guest {
    pub(crate) workload: Arc<dyn Workload>,
    pub(crate) host: Arc<dyn Host>,
}

impl Guest {
    pub(crate) async fn try_new(library: Bytes, host: Arc<dyn Host>, limits: Limits) -> Result<Self, ActorError> {
        let seed = Seed { self_id: SELF_ID.parse().unwrap(), host: Arc::clone(&host), limits: Arc::new(limits) };
        let program = NativeEngine::new(true).prepare(package(library, &here())).await?;
        let workload = program.create(seed).await?;
        Ok(Self { workload, host })
    }

    pub(crate) async fn new(library: Bytes, host: Arc<dyn Host>) -> Self {
        Self::try_new(library, host, Limits::default()).await.unwrap()
    }

    pub(crate) async fn run(&self, event: Event) -> Outcome {
        Arc::clone(&self.workload).run(context(&self.host), event).await
    }

    pub(crate) async fn request(&self, route: &str, payload: &[u8]) -> Outcome {
        self.run(request(route, payload)).await
    }
}

/// What an outcome says, for comparison with an expected text.
pub(crate) fn text(outcome: &Outcome) -> String {
    match outcome {
        Ok(bytes) => format!("ok {:?}", String::from_utf8_lossy(bytes)),
        Err(Failure::Error(error)) => format!("error {}", error.to_text()),
        Err(Failure::Crash(error)) => format!("crash {}", error.to_text()),
    }
}

/// Appends a protobuf field of bytes.
pub(crate) fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.extend([number << 3 | 2, bytes.len() as u8]);
    out.extend(bytes);
}
