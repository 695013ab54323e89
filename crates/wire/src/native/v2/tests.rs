use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{
    ActorError, ActorId, Code, ErrorCategory, ErrorEvent, ErrorKind, Event, PeerEvent, RuntimeEvent, Timestamp,
};
use proptest::prelude::*;

use super::{EventFrame, OpRefusal, read_error, read_event, read_op, read_reply, write_error, write_event};
use crate::internal::check_native_v2;

const ID: &str = "1a2b3c@7/acme:EchoService:1.0.0";

fn id() -> ActorId {
    ID.parse().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An event survives the way to the guest and back.
fn check_event(event: &Event, expected: &Expect) {
    let mut out = vec![1, 2, 3];
    write_event(event, Some(&id()), "r-1", Some(1500), &mut out);
    let frame = EventFrame::read(&out).unwrap();
    assert_eq!((frame.request_id, frame.time_left_ms), (&b"r-1"[..], Some(1500)));
    let read = read_event(&frame).unwrap();
    assert_eq!(format!("{read:?}"), format!("{event:?}"));
    expected.assert_eq(&format!("{}/{} {}", frame.kind, frame.hook, hex(frame.payload)));
}

#[test]
fn events_there_and_back() {
    let request = |payload| Event::Request { route: "a.B.C".parse().unwrap(), payload };
    check_event(&request(Bytes::new()), &expect!["1/0 "]);
    check_event(&request("hi".into()), &expect!["1/0 6869"]);
    check_event(&Event::Start, &expect!["3/0 "]);
    check_event(&Event::Ready, &expect!["4/0 "]);
    check_event(&Event::Stop, &expect!["5/0 "]);
    let categories = [
        ErrorCategory::HandlerPanic,
        ErrorCategory::HandlerError,
        ErrorCategory::SignalingFailure,
        ErrorCategory::TransportFailure,
        ErrorCategory::StreamDeliveryUncertain,
    ];
    for category in categories {
        let source = ActorError::new(ErrorKind::Internal, "x");
        let event = ErrorEvent { source, category, context: "c".into(), timestamp: Timestamp::clamped(1, 2) };
        let mut out = Vec::new();
        write_event(&Event::Error(event.clone()), None, "r", None, &mut out);
        let Ok(Event::Error(read)) = read_event(&EventFrame::read(&out).unwrap()) else { panic!("another event") };
        assert_eq!(read, event);
    }
    let peer = || PeerEvent { peer: id(), relayed: Some(false) };
    let expiry = Timestamp::clamped(5, 6);
    check_event(&Event::Runtime(RuntimeEvent::SignalingConnected), &expect!["7/2 "]);
    check_event(
        &Event::Runtime(RuntimeEvent::WebrtcConnected(peer())),
        &expect!["7/8 0a280a240a02080710bcd6681a1a0a0461636d65120b4563686f536572766963651a05312e302e301000"],
    );
    check_event(&Event::Runtime(RuntimeEvent::CredentialRenewed { new_expiry: expiry }), &expect!["7/10 120408051006"]);
    check_event(
        &Event::Runtime(RuntimeEvent::MailboxBackpressure { queue_len: 2, threshold: 1 }),
        &expect!["7/12 1a0408021001"],
    );
}

fn check_refusal(frame: EventFrame<'_>, expected: &Expect) {
    expected.assert_eq(&read_event(&frame).unwrap_err().to_string());
}

#[test]
fn events_that_are_none() {
    let frame = EventFrame::default();
    check_refusal(frame, &expect!["kind of event 0 is not known"]);
    check_refusal(EventFrame { kind: 1, ..frame }, &expect![[r#"route key "" is empty"#]]);
    check_refusal(EventFrame { kind: 1, route: b"\xff", ..frame }, &expect!["route does not decode"]);
    check_refusal(EventFrame { kind: 2, payload: b"\xff", ..frame }, &expect!["chunk does not decode"]);
    check_refusal(EventFrame { kind: 6, ..frame }, &expect!["error is missing"]);
    check_refusal(EventFrame { kind: 7, hook: 13, ..frame }, &expect!["hook 13 is not known"]);
    check_refusal(EventFrame { kind: 7, hook: 8, ..frame }, &expect!["peer event is missing"]);
    check_refusal(EventFrame { kind: 7, hook: 10, ..frame }, &expect!["time is missing"]);
}

fn check_error(error: &ActorError, expected: &Expect) {
    let mut out = Vec::new();
    write_error(error, &mut out);
    assert_eq!(read_error(&out), *error);
    expected.assert_eq(&hex(&out));
}

#[test]
fn errors_there_and_back() {
    check_error(&ActorError::new(ErrorKind::NotFound, "x"), &expect!["08031a0178"]);
    check_error(&ActorError::new(ErrorKind::TimedOut, ""), &expect!["0802"]);
    check_error(
        &ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "x"),
        &expect!["0801120c6d61696c626f782d66756c6c1a0178"],
    );
    check_error(&ActorError::dependency_not_found("s", "x"), &expect!["08071a0178220173"]);
    check_error(&ActorError::connection_not_ready(Some(0), "x"), &expect!["080b1a01782800"]);
}

/// The text of an error may be as long as it may be anywhere, and its other parts come with it.
#[test]
fn long_errors_keep_their_parts() {
    let error = ActorError::dependency_not_found("s".repeat(5000), "x".repeat(5000)).with_code(Code::CallDepth);
    let mut out = Vec::new();
    write_error(&error, &mut out);
    assert_eq!(read_error(&out), error);
}

#[test]
fn unknown_parts_of_errors_are_left_out() {
    expect!["internal error: x"].assert_eq(&read_error(b"\x08\x63\x12\x02no\x1a\x01x").to_text());
    expect!["unavailable: \u{fffd}"].assert_eq(&read_error(b"\x08\x01\x1a\x01\xff\xf8\x3e\x07").to_text());
    expect!["internal error: "].assert_eq(&read_error(b"").to_text());
}

#[test]
fn replies_that_are_none() {
    let check = |op: u32, bytes: &'static [u8], expected: Expect| {
        expected.assert_eq(&read_reply(op, Bytes::from_static(bytes)).unwrap_err().to_string());
    };
    check(18, b"\x02", expect!["flag does not decode"]);
    check(18, b"", expect!["flag does not decode"]);
    check(16, b"\x0a\x01k", expect!["version is missing"]);
    check(4, b"", expect!["realm is missing"]);
    check(99, b"", expect!["operation 99 is not known"]);
}

#[test]
fn there_are_no_other_operations() {
    let known: Vec<u32> =
        (0..1000).filter(|op| !matches!(read_op(*op, Bytes::new()), Err(OpRefusal::Unknown))).collect();
    expect!["[1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 24, 25, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 48, 49, 50, 51]"]
        .assert_eq(&format!("{known:?}"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_in_one_way(op in 0..60_u8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_native_v2(&[&[op], bytes.as_slice()].concat());
    }
}
