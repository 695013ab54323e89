//! Writes the seeds of the corpus: one or a few well-formed inputs for each target, from which a fuzzer finds the rest.
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`

use std::path::Path;

use bytes::Bytes;
use playhouse_crypto::{KdfCost, KeyFile, KeyKind, KeyMaterial, MasterKey, SealedMasterKey, Secret, SigningKey};
use playhouse_package::{Builder, LockFile, TrustPolicy};
use playhouse_types::{
    ActorError, CryptoOp, DataChunk, Dest, ErrorCategory, ErrorEvent, ErrorKind, Event, HashAlgorithm, HostOp,
    HostReply, KeyPurpose, Label, PayloadClass, PeerEvent, RouteKey, RuntimeEvent, Schedule, StateChange, StateEntry,
    StateKey, StateOp, StateVersion, StreamId, Timer, TimerOp, Timestamp,
};
use playhouse_wire::native::v2;
use playhouse_wire::proto;
use prost::Message;

/// What the toolchain of actr 0.3 writes, in little.
const COMPONENT: &str = r#"(component
  (type $host (instance (type $f (func (param "x" u32) (result u32))) (export "f" (func (type $f)))))
  (import "actr:workload/host@0.1.0" (instance $h (type $host)))
  (alias export $h "f" (func $f))
  (core module $libc (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (core func $lowered (canon lower (func $f) async (memory $libc "memory")))
  (component $inner
    (import "g" (func $g (param "x" u32) (result u32)))
    (export "g" (func $g)))
  (instance $i (instantiate $inner (with "g" (func $f))))
  (export "actr:workload/workload@0.1.0" (instance $i)))"#;

const PROTO: &str = r#"syntax = "proto3"; package echo;
import "google/protobuf/empty.proto";
// A comment.
message Ping { string text = 1; repeated int64 n = 2 [packed = true]; oneof x { bytes y = 3; Kind z = 4; } map<string, Ping> m = 5; }
enum Kind { NONE = 0; option allow_alias = true; NIL = 0; }
service Echo { rpc Ping(Ping) returns (stream Ping) { option deprecated = true; } }
"#;

fn main() -> std::io::Result<()> {
    let key = playhouse_package::internal::key();
    names()?;
    wire()?;
    native_v2()?;
    packages(&key)?;
    actor_keys().map_err(std::io::Error::other)??;
    let policy = TrustPolicy::for_key("acme".parse().expect("a name"), key.verifying_key());
    write("trust_policy", "pinned", policy.to_toml().as_bytes())?;
    write("trust_policy", "rules", b"revoked_keys = [\"mfr-0011223344556677\"]\nrevoked_packages = []\n\n[[minimum]]\ntype = \"acme:Echo\"\nversion = \"1.2.0\"\n")?;
    write("proto", "service", PROTO.as_bytes())?;
    write("key_file", "public", KeyFile::public_json(&key.verifying_key()).as_bytes())?;
    write("key_file", "plain", KeyFile::danger_plain_json(&key, "2026-01-01T00:00:00Z").as_bytes())?;
    write("package_altered", "flip", &[40, 0, 1, 200, 0, 255])?;
    write("package_altered", "none", &[])?;
    let component = wat::parse_str(COMPONENT).map_err(std::io::Error::other)?;
    for target in ["component_outline", "component_rewrite"] {
        write(target, "empty", b"\0asm\x0d\0\x01\0")?;
        write(target, "lowered", &component)?;
        write(target, "module", b"\0asm\x01\0\0\0")?;
    }
    for (name, limits) in [("serial", [0x83, 0x00]), ("concurrent", [0x83, 0x21]), ("keyed_shed", [0x43, 0x3a])] {
        let ops: Vec<u8> = limits.into_iter().chain((0..120_u8).flat_map(|n| [n, n.wrapping_mul(37)])).collect();
        write("mailbox", name, &ops)?;
    }
    Ok(())
}

/// Made with what the oracles open them with.
fn actor_keys() -> Result<std::io::Result<()>, Box<dyn std::error::Error + Send + Sync>> {
    let vault = oracles::key_vault();
    let material = |kind, byte| KeyMaterial::generate(kind, move |bytes: &mut [u8]| bytes.fill(byte));
    let mut files = Vec::new();
    for kind in [KeyKind::Signing, KeyKind::Agreement, KeyKind::Secret] {
        let record = vault.create("k", material(kind, 8)?, |bytes| bytes.fill(9))?;
        files.push(("key_record", kind.name(), record.to_bytes()));
        let rotated = vault.rotate("k", &record, material(kind, 10)?, |bytes| bytes.fill(11))?;
        files.push(("key_record", ["rotated_", kind.name()].concat().leak(), rotated.to_bytes()));
    }
    let record = vault.create("k", material(KeyKind::Secret, 8)?, |bytes| bytes.fill(9))?;
    let sealed = vault.secret("k", &record)?.seal(b"plain", b"context", |bytes| bytes.fill(1))?;
    files.push(("sealed_data", "context", [b"\x07context", sealed.as_slice()].concat()));
    let empty = vault.secret("k", &record)?.seal(b"", b"", |bytes| bytes.fill(1))?;
    files.push(("sealed_data", "empty", [&[0], empty.as_slice()].concat()));
    let mut next = 0;
    let master = MasterKey::generate(|bytes| bytes.fill_with(|| (next, next += 1).0))?;
    let sealed = SealedMasterKey::seal(&master, Secret::KeyFile(&[1; 32]), KdfCost::LOWEST, |bytes| bytes.fill(1))?;
    files.push(("master_key", "plain", master.danger_to_text().as_bytes().to_vec()));
    files.push(("master_key", "sealed", sealed.to_json().into_bytes()));
    Ok(files.into_iter().try_for_each(|(target, name, bytes)| write(target, name, &bytes)))
}

fn names() -> std::io::Result<()> {
    for (name, text) in [
        ("actor_id", "1a2b3c@7/acme:EchoService:1.0.0"),
        ("odd_id", "+001A@+07/a:b:1.0.0-rc.1+build"),
        ("type", "acme:EchoService:1.0.0"),
        ("route", "echo.EchoService.Echo"),
    ] {
        write("ids", name, text.as_bytes())?;
    }
    write("uri", "plain", b"actr://7:acme+EchoService@1.0.0")?;
    for (name, kind) in [("unknown_route", ErrorKind::UnknownRoute), ("timed_out", ErrorKind::TimedOut)] {
        write("error_text", name, ActorError::new(kind, "x.Y.Z [call-cycle]").to_text().as_bytes())?;
    }
    let missing = ActorError::dependency_not_found("acme:Echo:1.0.0", "not in the lock file");
    write("error_text", "dependency", missing.to_text().as_bytes())
}

fn wire() -> std::io::Result<()> {
    let call = proto::HostCallV1 { route_key: "echo.Echo.Ping".to_owned(), ..proto::HostCallV1::default() };
    for op in [1, 2, 3, 4, 5, 6, 7] {
        let frame = proto::AbiFrame { abi_version: 1, op, payload: call.encode_to_vec().into() };
        write("native_frames", &format!("op{op}"), &frame.encode_to_vec())?;
    }
    let reply = proto::AbiReply { abi_version: 1, status: 0, payload: b"pong".to_vec().into() };
    write("native_reply", "ok", &reply.encode_to_vec())?;
    let refusal = proto::AbiReply { abi_version: 1, status: -1, payload: b"unknown route: x".to_vec().into() };
    write("native_reply", "refusal", &refusal.encode_to_vec())?;
    let envelope = proto::RpcEnvelope {
        route_key: "echo.Echo.Ping".to_owned(),
        payload: Some(Bytes::from_static(b"ping")),
        request_id: "9f2c".to_owned(),
        timeout_ms: 5000,
        ..proto::RpcEnvelope::default()
    };
    write("envelope", "request", &envelope.encode_to_vec())?;
    let chunk = proto::DataStream { stream_id: "s".to_owned(), sequence: 3, ..proto::DataStream::default() };
    write("envelope", "chunk", &chunk.encode_to_vec())
}

/// One of each operation, two replies and two events.
fn native_v2() -> std::io::Result<()> {
    let mut ops = vec![HostOp::Now, HostOp::Random { bytes: 8 }];
    ops.extend(messages_of_others());
    ops.extend(state_and_timers());
    ops.extend(keys_of_actors());
    for op in ops {
        let mut message = Vec::new();
        let number = v2::write_op(op, &mut message);
        let number = u8::try_from(number).expect("a number of one byte");
        write("native_v2", &format!("op{number}"), &[&[number], message.as_slice()].concat())?;
    }
    let entry = StateEntry { key: state_key(), value: b"v".as_slice().into(), version: StateVersion::MIN };
    for (name, number, reply) in [
        ("reply_entry", 16, HostReply::Entry(Some(entry.clone()))),
        ("reply_entries", 19, HostReply::Entries { entries: vec![entry.clone(), entry], more: true }),
        ("reply_maybe", 49, HostReply::Maybe(Some(b"s".as_slice().into()))),
    ] {
        let mut message = vec![number];
        v2::write_reply(&reply, &mut message);
        write("native_v2", name, &message)?;
    }
    let mut error = vec![0];
    v2::write_error(&ActorError::dependency_not_found("acme:Echo:1.0.0", "no [call-cycle]"), &mut error);
    write("native_v2", "error", &error)?;
    for (name, event) in events() {
        let mut told = Vec::new();
        v2::write_event(&event, None, "r-1", Some(5), &mut told);
        write("native_v2", name, &[&[0], told.as_slice()].concat())?;
    }
    Ok(())
}

fn state_key() -> StateKey {
    StateKey::new(b"key".as_slice()).expect("a key")
}

fn events() -> Vec<(&'static str, Event)> {
    let peer = PeerEvent { peer: "2@7/acme:Echo:1.0.0".parse().expect("an id"), relayed: Some(true) };
    let source = ActorError::connection_not_ready(Some(9), "x");
    let (category, timestamp) = (ErrorCategory::TransportFailure, Timestamp::clamped(1, 2));
    vec![
        ("event_request", Event::Request { route: "a.B.C".parse().expect("a route"), payload: Bytes::new() }),
        ("event_chunk", Event::Chunk { chunk: chunk(), sender: peer.peer.clone() }),
        ("event_error", Event::Error(ErrorEvent { source, category, context: "c".to_owned(), timestamp })),
        ("event_runtime", Event::Runtime(RuntimeEvent::WebrtcConnected(peer))),
    ]
}

fn chunk() -> DataChunk {
    let wire = proto::DataStream { stream_id: "s".to_owned(), sequence: 3, ..proto::DataStream::default() };
    wire.try_into().expect("a chunk")
}

fn messages_of_others() -> Vec<HostOp> {
    let (dest, route, payload) = (Dest::Shell, "a.B.C".parse::<RouteKey>().expect("a route"), Bytes::from("x"));
    let actor_type = "acme:Echo:1.0.0".parse().expect("a type");
    let stream_id: StreamId = "s".parse().expect("a stream");
    vec![
        HostOp::Call { dest: dest.clone(), route: route.clone(), payload: payload.clone() },
        HostOp::Tell { dest: dest.clone(), route, payload },
        HostOp::Discover { actor_type },
        HostOp::RegisterStream { stream_id: stream_id.clone() },
        HostOp::UnregisterStream { stream_id },
        HostOp::SendChunk { dest, chunk: chunk(), class: PayloadClass::StreamReliable },
    ]
}

fn state_and_timers() -> Vec<HostOp> {
    let change = StateChange { key: state_key(), value: Some(b"value".as_slice().into()) };
    let changes = vec![change.clone(), StateChange { key: state_key(), value: None }];
    let name: Label = "tick".parse().expect("a name");
    let schedule = Schedule::Cron("0 0 * * *".to_owned());
    let timer = Timer { name: name.clone(), schedule, route: "a.B.C".parse().expect("a route"), payload: Bytes::new() };
    vec![
        HostOp::State(StateOp::Get { key: state_key() }),
        HostOp::State(StateOp::Write { changes }),
        HostOp::State(StateOp::CompareAndSet { expected: Some(StateVersion::MIN), change }),
        HostOp::State(StateOp::Scan { prefix: b"k".as_slice().into(), after: Some(state_key()), limit: 9 }),
        HostOp::Timer(TimerOp::Set(timer)),
        HostOp::Timer(TimerOp::Cancel { name: name.clone() }),
        HostOp::Config { name: name.clone() },
        HostOp::Secret { name },
    ]
}

fn keys_of_actors() -> Vec<HostOp> {
    let (key, into): (Label, Label) = ("k".parse().expect("a name"), "into".parse().expect("a name"));
    let data = || Bytes::from_static(b"0123456789abcdef0123456789abcdef");
    let ops = vec![
        CryptoOp::PublicKey { key: key.clone(), purpose: KeyPurpose::Agree },
        CryptoOp::Sign { key: key.clone(), message: data() },
        CryptoOp::Verify { public_key: data(), message: data(), signature: data() },
        CryptoOp::Seal { key: key.clone(), plaintext: data(), context: data() },
        CryptoOp::Open { key: key.clone(), ciphertext: data(), context: data() },
        CryptoOp::Agree { key: key.clone(), peer: data(), context: data(), into: into.clone() },
        CryptoOp::Derive { key: key.clone(), context: data(), into },
        CryptoOp::Hash { algorithm: HashAlgorithm::Sha512, data: data() },
        CryptoOp::Mac { key: key.clone(), message: data() },
        CryptoOp::VerifyMac { key, message: data(), tag: data() },
    ];
    ops.into_iter().map(HostOp::Crypto).collect()
}

fn packages(key: &SigningKey) -> std::io::Result<()> {
    let builder = Builder::new(
        "acme:Echo:1.0.0".parse().expect("a type"),
        "wasm32-unknown-unknown",
        Bytes::from_static(b"\0asm\x01\0\0\0"),
    );
    write("archive", "unsigned", &builder.build_unsigned().expect("a package"))?;
    let builder = builder
        .resource("resources/a.txt", Bytes::from_static(b"hello"))
        .proto("echo.proto", "syntax = \"proto3\"; package echo; message Ping {}");
    let package = builder.build(key).expect("a package");
    write("archive", "signed", &package)?;
    // The manifest is stored as it is, and nothing else in the archive has its first or its last word.
    let at = |word: &[u8]| package.windows(word.len()).position(|window| window == word).expect("a manifest");
    write("manifest", "whole", &package[at(b"manufacturer")..at(b"[metadata]")])?;
    let dependency = "[[dependency]]\nname = \"echo\"\nactr_type = \"acme:Echo:1.0.0\"\nfingerprint = \"service_semantic:ab\"\n\
        cached_at = \"2026-01-01T00:00:00Z\"\n[[dependency.files]]\npath = \"echo.proto\"\nfingerprint = \"semantic:cd\"\n";
    let metadata = "[metadata]\nversion = 1\ngenerated_at = \"2026-01-01T00:00:00Z\"\n";
    let lock = format!("{metadata}\n{dependency}");
    LockFile::parse(lock.as_bytes()).expect("a lock file");
    write("lock", "one", lock.as_bytes())?;
    write("lock", "empty", b"")
}

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), bytes)
}
