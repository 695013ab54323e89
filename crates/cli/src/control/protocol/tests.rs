use expect_test::{Expect, expect};
use playhouse_types::{ActorError, Code, ErrorKind};

use super::{Call, LINE_BYTES_MAX, PAYLOAD_BYTES_MAX, Payload, Request, Response, WireError};
use crate::error::CliError;

fn check(request: &Request, expected: Expect) {
    let line = serde_json::to_string(request).unwrap();
    expected.assert_eq(&line);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Request>(&line).unwrap()).unwrap(), line);
}

#[test]
fn the_lines_are_stable() {
    check(&Request::Hello { protocol: 1 }, expect![[r#"{"op":"hello","protocol":1}"#]]);
    check(&Request::Actors, expect![[r#"{"op":"actors"}"#]]);
    let call =
        Call { actor: "a".into(), route: "r".into(), payload: Payload(vec![0, 255].into()), timeout_ms: 5, wait: true };
    check(
        &Request::Call(call),
        expect![[r#"{"op":"call","actor":"a","route":"r","payload":"AP8=","timeout_ms":5,"wait":true}"#]],
    );
    check(
        &Request::Logs { actor: None, tail: 10, follow: true },
        expect![[r#"{"op":"logs","actor":null,"tail":10,"follow":true}"#]],
    );
}

#[test]
fn errors_keep_kind_code_and_fix() {
    let error = ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "holds 8 of 8");
    let wire = WireError { fix: Some("wait".into()), ..error.into() };
    let line = serde_json::to_string(&Response::Error(wire)).unwrap();
    expect![[r#"{"error":{"text":"unavailable: holds 8 of 8 [mailbox-full]","kind":"unavailable","fix":"wait"}}"#]]
        .assert_eq(&line);
    let Response::Error(back) = serde_json::from_str(&line).unwrap() else { panic!("not an error: {line}") };
    let document = serde_json::to_string(&CliError::from(back).document().unwrap()).unwrap();
    expect![[r#"{"error":{"code":"mailbox-full","kind":"unavailable","message":"holds 8 of 8","fix":"wait"}}"#]]
        .assert_eq(&document);
}

#[test]
fn the_largest_payload_fits_a_line() {
    assert!(PAYLOAD_BYTES_MAX.div_ceil(3) * 4 + (64 << 10) < LINE_BYTES_MAX);
}
