use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{
    ActorError, ActorId, ActorType, DataChunk, Dest, ErrorKind, HostOp, HostReply, PeerEvent, RuntimeEvent, Timestamp,
};
use proptest::prelude::*;
use prost::Message;

use super::{Frame, GuestFrames, HostCall, Refusal, Reply, Request, init_payload, write_host_reply, write_reply};
use crate::proto::{self, dest_v1};

const SELF_ID: &str = "1a2b3c@7/acme:EchoService:1.0.0";
const CALLER: &str = "2@7/acme:EchoClient:1.0.0";

fn id(text: &str) -> ActorId {
    text.parse().unwrap()
}

/// Sixteen bytes a line, as the specification prints them.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

fn unhex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn written(write: impl FnOnce(&GuestFrames, &mut Vec<u8>)) -> String {
    let mut out = b"what was there before".to_vec();
    write(&GuestFrames::new(&id(SELF_ID)), &mut out);
    hex(&out)
}

fn chunk() -> DataChunk {
    DataChunk {
        stream_id: "s1".parse().unwrap(),
        sequence: 0,
        payload: Bytes::from_static(&[1, 2]),
        metadata: Vec::new(),
        timestamp_ms: None,
    }
}

#[test]
fn init_payload_is_the_specification_s() {
    let actor_type: ActorType = "acme:EchoService:1.0.0".parse().unwrap();
    expect![[r"
        08 01 12 16 61 63 6d 65 3a 45 63 68 6f 53 65 72
        76 69 63 65 3a 31 2e 30 2e 30"]]
    .assert_eq(&hex(&init_payload(&actor_type)));
}

#[test]
fn request_frame_is_the_specification_s() {
    let caller = id(CALLER);
    let request = Request {
        caller: Some(&caller),
        request_id: "r-1",
        route: "echo.EchoService.Echo",
        payload: &[0x0a, 2, 0x68, 0x69],
        timeout_ms: 30_000,
        bridge_token: 0,
    };
    expect![[r"
        08 01 10 65 1a 7a 0a 4e 0a 24 0a 02 08 07 10 bc
        d6 68 1a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f
        53 65 72 76 69 63 65 1a 05 31 2e 30 2e 30 12 21
        0a 02 08 07 10 02 1a 19 0a 04 61 63 6d 65 12 0a
        45 63 68 6f 43 6c 69 65 6e 74 1a 05 31 2e 30 2e
        30 1a 03 72 2d 31 12 28 0a 15 65 63 68 6f 2e 45
        63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 12
        04 0a 02 68 69 b2 06 03 72 2d 31 c0 06 b0 ea 01"]]
    .assert_eq(&written(|frames, out| frames.request(&request, out)));
}

#[test]
fn lifecycle_frame_is_the_specification_s() {
    expect![[r"
        08 01 10 67 1a 3e 0a 3a 0a 24 0a 02 08 07 10 bc
        d6 68 1a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f
        53 65 72 76 69 63 65 1a 05 31 2e 30 2e 30 1a 12
        6c 69 66 65 63 79 63 6c 65 3a 6f 6e 5f 73 74 61
        72 74 10 01"]]
    .assert_eq(&written(|frames, out| frames.start(0, out)));
}

#[test]
fn hook_frame_is_the_specification_s() {
    let event = RuntimeEvent::WebrtcConnected(PeerEvent { peer: id(CALLER), relayed: Some(false) });
    expect![[r"
        08 01 10 68 1a 6b 0a 40 0a 24 0a 02 08 07 10 bc
        d6 68 1a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f
        53 65 72 76 69 63 65 1a 05 31 2e 30 2e 30 1a 18
        68 6f 6f 6b 3a 6f 6e 5f 77 65 62 72 74 63 5f 63
        6f 6e 6e 65 63 74 65 64 10 08 1a 25 0a 21 0a 02
        08 07 10 02 1a 19 0a 04 61 63 6d 65 12 0a 45 63
        68 6f 43 6c 69 65 6e 74 1a 05 31 2e 30 2e 30 10
        00"]]
    .assert_eq(&written(|frames, out| frames.runtime(&event, 0, out)));
}

#[test]
fn chunk_frame_is_the_specification_s() {
    expect![[r"
        08 01 10 66 1a 2f 0a 0a 0a 02 73 31 10 00 1a 02
        01 02 12 21 0a 02 08 07 10 02 1a 19 0a 04 61 63
        6d 65 12 0a 45 63 68 6f 43 6c 69 65 6e 74 1a 05
        31 2e 30 2e 30"]]
    .assert_eq(&written(|frames, out| frames.chunk(&chunk(), &id(CALLER), 0, out)));
}

/// Number, required sub-message, request id and `relayed` of every hook.
#[test]
fn hooks_carry_what_their_numbers_require() {
    let peer = || PeerEvent { peer: id(CALLER), relayed: Some(true) };
    let expiry = Timestamp::clamped(u64::MAX, u32::MAX);
    let events = [
        RuntimeEvent::SignalingConnecting,
        RuntimeEvent::SignalingConnected,
        RuntimeEvent::SignalingDisconnected,
        RuntimeEvent::WebsocketConnecting(peer()),
        RuntimeEvent::WebsocketConnected(peer()),
        RuntimeEvent::WebsocketDisconnected(peer()),
        RuntimeEvent::WebrtcConnecting(peer()),
        RuntimeEvent::WebrtcConnected(peer()),
        RuntimeEvent::WebrtcDisconnected(peer()),
        RuntimeEvent::CredentialRenewed { new_expiry: expiry },
        RuntimeEvent::CredentialExpiring { new_expiry: expiry },
        RuntimeEvent::MailboxBackpressure { queue_len: 900, threshold: 800 },
    ];
    let mut seen = String::new();
    for event in events {
        let mut out = Vec::new();
        GuestFrames::new(&id(SELF_ID)).runtime(&event, 0, &mut out);
        let hook = proto::GuestHookV1::decode(Frame::read(&out).unwrap().payload).unwrap();
        let context = hook.ctx.unwrap();
        assert!(context.caller_id.is_none());
        let relayed = hook.peer.map(|peer| peer.relayed);
        let expiry =
            hook.credential.and_then(|credential| credential.new_expiry).map(|at| (at.seconds, at.nanoseconds));
        let queue = hook.backpressure.map(|queue| (queue.queue_len, queue.threshold));
        seen += &format!("{} {} {relayed:?} {expiry:?} {queue:?}\n", hook.hook, context.request_id);
    }
    expect![[r"
        1 hook:on_signaling_connecting None None None
        2 hook:on_signaling_connected None None None
        3 hook:on_signaling_disconnected None None None
        4 hook:on_websocket_connecting Some(None) None None
        5 hook:on_websocket_connected Some(None) None None
        6 hook:on_websocket_disconnected Some(None) None None
        7 hook:on_webrtc_connecting Some(None) None None
        8 hook:on_webrtc_connected Some(Some(true)) None None
        9 hook:on_webrtc_disconnected Some(None) None None
        10 hook:on_credential_renewed None Some((8589934591, 999999999)) None
        11 hook:on_credential_expiring None Some((8589934591, 999999999)) None
        12 hook:on_mailbox_backpressure None None Some((900, 800))
    "]]
    .assert_eq(&seen);
}

#[test]
fn replies_are_the_specification_s() {
    let check = |status, payload: &[u8], expected: &str| {
        let mut out = Vec::new();
        write_reply(status, payload, &mut out);
        assert_eq!(hex(&out).replace('\n', " "), expected);
        assert_eq!(Reply::read(&out), Ok(Reply { abi_version: 1, status, payload }));
    };
    check(0, &[0x0a, 2, 0x68, 0x69, 0x10, 5], "08 01 1a 06 0a 02 68 69 10 05");
    check(0, &[], "08 01");
    check(
        -3,
        b"unknown route: x.Y.Z",
        "08 01 10 fd ff ff ff ff ff ff ff ff 01 1a 14 75 6e 6b 6e 6f 77 6e 20 72 6f 75 74 65 3a 20 78 2e 59 2e 5a",
    );
    check(-1, &[], "08 01 10 ff ff ff ff ff ff ff ff ff 01");
    check(-5, &[], "08 01 10 fb ff ff ff ff ff ff ff ff 01");
}

#[test]
fn host_replies_carry_results_and_errors() {
    let check = |result: Result<HostReply, ActorError>, expected: Expect| {
        let mut out = Vec::new();
        write_host_reply(&result, &mut out);
        let reply = Reply::read(&out).unwrap();
        expected.assert_eq(&format!("{} {:?}", reply.status, String::from_utf8_lossy(reply.payload)));
        if let Err(error) = result {
            assert_eq!(reply.error(), error);
        }
    };
    check(Ok(HostReply::Done), expect![[r#"0 """#]]);
    check(Ok(HostReply::Bytes(Bytes::from_static(b"hi"))), expect![[r#"0 "hi""#]]);
    check(Err(ActorError::new(ErrorKind::UnknownRoute, "x.Y.Z")), expect![[r#"-1 "unknown route: x.Y.Z""#]]);
    check(Err(ActorError::new(ErrorKind::InvalidArgument, "no")), expect![[r#"-5 "invalid argument: no""#]]);
    check(Err(ActorError::new(ErrorKind::DecodeFailure, "no")), expect![[r#"-5 "decode failure: no""#]]);
    check(Err(ActorError::new(ErrorKind::NotImplemented, "no")), expect![[r#"-7 "not implemented: no""#]]);
}

#[test]
fn discovered_actor_is_the_specification_s() {
    let mut out = Vec::new();
    write_host_reply(&Ok(HostReply::Actor(id(SELF_ID))), &mut out);
    expect![[r"
        08 01 1a 24 0a 02 08 07 10 bc d6 68 1a 1a 0a 04
        61 63 6d 65 12 0b 45 63 68 6f 53 65 72 76 69 63
        65 1a 05 31 2e 30 2e 30"]]
    .assert_eq(&hex(&out));
}

/// Reads a guest's frame and says what it asks for, or how it is refused.
fn asked(frame: &[u8]) -> String {
    match HostCall::read(frame) {
        Ok(HostCall(op)) => format!("{op:?}"),
        Err(Refusal::Code(code)) => format!("returns {code}"),
        Err(Refusal::Reply { status, error }) => format!("status {status}: {error}"),
    }
}

#[test]
fn reads_the_specification_s_frames_of_guests() {
    let check = |frame: &str, expected: Expect| expected.assert_eq(&asked(&unhex(frame)));
    check(
        "08 01 10 01 1a 45 0a 15 65 63 68 6f 2e 45 63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 12 26 1a
         24 0a 02 08 07 10 bc d6 68 1a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f 53 65 72 76 69 63 65 1a 05
         31 2e 30 2e 30 1a 04 0a 02 68 69",
        expect![[
            r#"Call { dest: Actor(1a2b3c@7/acme:EchoService:1.0.0), route: "echo.EchoService.Echo", payload: b"\n\x02hi" }"#
        ]],
    );
    check(
        "08 01 10 02 1a 21 0a 15 65 63 68 6f 2e 45 63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 12 02 08
         01 1a 04 0a 02 68 69",
        expect![[r#"Tell { dest: Shell, route: "echo.EchoService.Echo", payload: b"\n\x02hi" }"#]],
    );
    check(
        "08 01 10 04 1a 1c 0a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f 53 65 72 76 69 63 65 1a 05 31 2e 30 2e 30",
        expect!["Discover { actor_type: acme:EchoService:1.0.0 }"],
    );
    check("08 01 10 05 1a 04 0a 02 73 31", expect![[r#"RegisterStream { stream_id: "s1" }"#]]);
    check("08 01 10 06 1a 04 0a 02 73 31", expect![[r#"UnregisterStream { stream_id: "s1" }"#]]);
    check(
        "08 01 10 07 1a 33 0a 23 1a 21 0a 02 08 07 10 02 1a 19 0a 04 61 63 6d 65 12 0a 45 63 68 6f 43 6c
         69 65 6e 74 1a 05 31 2e 30 2e 30 12 0a 0a 02 73 31 10 00 1a 02 01 02 18 02",
        expect![[
            r#"SendChunk { dest: Actor(2@7/acme:EchoClient:1.0.0), chunk: DataChunk { stream_id: "s1", sequence: 0, payload_bytes: 2, metadata_entries: 0, timestamp_ms: None }, class: StreamReliable }"#
        ]],
    );
}

/// A frame of version 1 around a message.
fn frame(op: u32, message: &impl Message) -> Vec<u8> {
    proto::AbiFrame { abi_version: 1, op, payload: message.encode_to_vec().into() }.encode_to_vec()
}

fn dest(kind: dest_v1::Kind) -> Option<proto::DestV1> {
    Some(proto::DestV1 { kind: Some(kind) })
}

#[test]
fn refuses_frames_as_the_specification_says() {
    let check = |frame: &[u8], expected: Expect| expected.assert_eq(&asked(frame));
    check(b"", expect!["returns -5"]);
    check(&[0xff], expect!["returns -5"]);
    check(&unhex("08 02 10 05 1a 04 0a 02 73 31"), expect!["returns -5"]);
    check(&unhex("10 05 1a 04 0a 02 73 31"), expect!["returns -5"]);
    for op in [0, 8, 101, 102, 103, 104, u32::MAX] {
        check(&frame(op, &proto::HostRegisterStreamV1 { stream_id: "s".into() }), expect!["returns -7"]);
    }
    // Not UTF-8 in a string fails the message.
    check(&unhex("08 01 10 05 1a 03 0a 01 ff"), expect!["returns -5"]);
    check(&unhex("08 01 10 01 1a 01 ff"), expect!["returns -5"]);
}

#[test]
fn refuses_calls_that_break_a_rule() {
    let check = |message: proto::HostCallV1, expected: Expect| expected.assert_eq(&asked(&frame(1, &message)));
    let call = |route: &str, dest| proto::HostCallV1 { route_key: route.into(), dest, payload: Bytes::new() };
    let shell = || dest(dest_v1::Kind::Shell(true));
    check(call("", shell()), expect![[r#"status -5: invalid argument: route key "" is empty"#]]);
    check(call("a.B.C", None), expect!["status -5: invalid argument: destination is missing"]);
    check(
        call("a.B.C", Some(proto::DestV1 { kind: None })),
        expect!["status -5: invalid argument: destination is missing"],
    );
    check(
        call("a.B.C", dest(dest_v1::Kind::Shell(false))),
        expect![[r#"Call { dest: Shell, route: "a.B.C", payload: b"" }"#]],
    );
    check(
        call("a.B.C", dest(dest_v1::Kind::Local(false))),
        expect![[r#"Call { dest: Local, route: "a.B.C", payload: b"" }"#]],
    );

    let whole = proto::ActrId::from(&id(CALLER));
    let actor = |id: proto::ActrId| dest(dest_v1::Kind::Actor(id));
    let no_realm = proto::ActrId { realm: None, ..whole.clone() };
    check(call("a.B.C", actor(no_realm)), expect!["status -5: invalid argument: realm is missing"]);
    let empty_realm = proto::ActrId { realm: Some(proto::Realm { realm_id: None }), ..whole.clone() };
    check(call("a.B.C", actor(empty_realm)), expect!["status -5: invalid argument: realm is missing"]);
    let no_serial = proto::ActrId { serial_number: None, ..whole.clone() };
    check(call("a.B.C", actor(no_serial)), expect!["status -5: invalid argument: serial number is missing"]);
    let no_type = proto::ActrId { r#type: None, ..whole.clone() };
    check(call("a.B.C", actor(no_type)), expect!["status -5: invalid argument: actor type is missing"]);
    let mut no_name = whole;
    no_name.r#type.as_mut().unwrap().name.clear();
    check(call("a.B.C", actor(no_name)), expect![[r#"status -5: invalid argument: name "" is empty"#]]);
}

#[test]
fn refuses_other_operations_that_break_a_rule() {
    let check = |frame: Vec<u8>, expected: Expect| expected.assert_eq(&asked(&frame));
    let raw = proto::HostCallRawV1 { route_key: "a.B.C".into(), target: None, payload: Bytes::new() };
    check(frame(3, &raw), expect!["status -5: invalid argument: target is missing"]);
    check(
        frame(4, &proto::HostDiscoverV1 { target_type: None }),
        expect!["status -5: invalid argument: target type is missing"],
    );
    let register = |stream_id: String| frame(5, &proto::HostRegisterStreamV1 { stream_id });
    check(register(String::new()), expect![[r#"status -5: invalid argument: stream id "" is empty"#]]);
    assert_eq!(asked(&register("s".repeat(256))), format!("RegisterStream {{ stream_id: {:?} }}", "s".repeat(256)));
    assert!(asked(&register("s".repeat(257))).starts_with("status -1: invalid argument: stream id"));
    for payload_type in [0, 1, 4, 5, -1] {
        let send = proto::HostSendDataStreamV1 {
            dest: dest(dest_v1::Kind::Shell(true)),
            chunk: Some((&chunk()).into()),
            payload_type,
        };
        let expected = format!("status -5: invalid argument: payload type of a chunk {payload_type} is not known");
        assert_eq!(asked(&frame(7, &send)), expected);
    }
    let mut many = proto::DataStream::from(&chunk());
    many.metadata = vec![proto::MetadataEntry::default(); 65];
    let send =
        proto::HostSendDataStreamV1 { dest: dest(dest_v1::Kind::Shell(true)), chunk: Some(many), payload_type: 2 };
    check(frame(7, &send), expect!["status -5: invalid argument: 65 metadata entries, at most 64 are allowed"]);
}

/// Each empty entry took 48 bytes of memory for its 2 on the wire before the list was found to be too long.
#[test]
fn metadata_is_counted_before_it_is_decoded() {
    let send = |chunks: &[usize]| {
        let mut payload = unhex("0a 02 08 01 18 02");
        for entries in chunks {
            let chunk = [unhex("0a 01 73"), [0x22, 0x00].repeat(*entries)].concat();
            payload.push(0x12);
            crate::fields::put_varint(&mut payload, chunk.len() as u64);
            payload.extend(chunk);
        }
        asked(&proto::AbiFrame { abi_version: 1, op: 7, payload: payload.into() }.encode_to_vec())
    };
    assert!(send(&[64]).starts_with("SendChunk"));
    assert!(send(&[40, 24]).starts_with("SendChunk"));
    let refused = |found| format!("status -5: invalid argument: {found} metadata entries, at most 64 are allowed");
    assert_eq!(send(&[65]), refused(65));
    assert_eq!(send(&[40, 25]), refused(65));
    assert_eq!(send(&[4 << 20]), refused(4 << 20));
}

#[test]
fn the_last_of_several_values_counts() {
    // dest = { shell, local }: the last arm; abi_version twice: the last.
    let bytes = unhex("08 09 08 01 10 02 1a 0d 0a 05 61 2e 42 2e 43 12 04 08 01 10 01");
    expect![[r#"Tell { dest: Local, route: "a.B.C", payload: b"" }"#]].assert_eq(&asked(&bytes));
}

fn arbitrary_id() -> impl Strategy<Value = ActorId> {
    (any::<u32>(), any::<u64>(), "[a-z]{1,8}", "[A-Z][a-zA-Z0-9_.-]{0,10}[a-z0-9]", "[0-9]{1,4}\\.[0-9]{1,40}")
        .prop_filter_map("a name with two dots", |(realm, serial, manufacturer, name, version)| {
            format!("{serial:x}@{realm}/{manufacturer}:{name}:{version}").parse().ok()
        })
}

proptest! {
    #[test]
    fn requests_are_written_as_prost_does(
        self_id in arbitrary_id(),
        caller in proptest::option::of(arbitrary_id()),
        request_id in ".{0,200}",
        route in ".{0,200}",
        payload in proptest::collection::vec(any::<u8>(), 0..600),
        timeout_ms in any::<i64>(),
        bridge_token in prop_oneof![Just(0), any::<u64>()],
    ) {
        let request = Request {
            caller: caller.as_ref(), request_id: &request_id, route: &route, payload: &payload, timeout_ms, bridge_token,
        };
        let mut out = Vec::new();
        GuestFrames::new(&self_id).request(&request, &mut out);
        let envelope = proto::RpcEnvelope {
            route_key: route, payload: Some(payload.into()), request_id: request_id.clone(), timeout_ms,
            ..Default::default()
        };
        let message = proto::GuestHandleV1 {
            ctx: Some(proto::InvocationContextV1 {
                self_id: Some((&self_id).into()), caller_id: caller.as_ref().map(Into::into), request_id,
            }),
            rpc_envelope: envelope.encode_to_vec().into(),
            bridge_token,
        };
        prop_assert_eq!(out, frame(101, &message));
    }

    #[test]
    fn replies_are_written_and_read_as_prost_does(status in any::<i32>(), payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Vec::new();
        write_reply(status, &payload, &mut out);
        let reply = proto::AbiReply { abi_version: 1, status, payload: payload.clone().into() };
        prop_assert_eq!(&out, &reply.encode_to_vec());
        prop_assert_eq!(Reply::read(&out), Ok(Reply { abi_version: 1, status, payload: &payload }));
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = HostCall::read(&bytes);
        for op in 1..=7 {
            let frame = proto::AbiFrame { abi_version: 1, op, payload: bytes.clone().into() };
            let _ = HostCall::read(&frame.encode_to_vec());
        }
    }
}

#[test]
fn errors_of_guests_keep_kind_and_code() {
    let reply = Reply { abi_version: 1, status: -3, payload: b"unavailable: try later [mailbox-full]" };
    let error = reply.error();
    assert_eq!(
        (error.kind(), error.code().text(), error.message()),
        (ErrorKind::Unavailable, "mailbox-full", "try later")
    );
    let reply = Reply { abi_version: 1, status: -3, payload: &[0xff; 1 << 20] };
    assert!(reply.error().message().len() <= playhouse_types::limits::ERROR_TEXT_BYTES_MAX);
}

#[test]
fn destinations_are_three() {
    let op = |kind| {
        HostCall::read(&frame(2, &proto::HostTellV1 { route_key: "r".into(), dest: dest(kind), payload: Bytes::new() }))
    };
    let to = |kind| match op(kind).unwrap().0 {
        HostOp::Tell { dest, .. } => dest,
        other => panic!("{other:?}"),
    };
    assert_eq!(to(dest_v1::Kind::Actor((&id(CALLER)).into())), Dest::Actor(id(CALLER)));
    assert_eq!(to(dest_v1::Kind::Local(true)), Dest::Local);
    assert_eq!(to(dest_v1::Kind::Shell(true)), Dest::Shell);
}
