use bytes::Bytes;
use playhouse_types::{ActorId, DataChunk};
use prost::Message;

use crate::proto::{ActrId, DataStream, ErrorResponse, RpcEnvelope};

fn unhex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// Checks that a message is the bytes of the specification, in both directions.
fn check<M: Message + Default + PartialEq + std::fmt::Debug>(message: &M, expected: &str) {
    let expected = unhex(expected);
    assert_eq!(message.encode_to_vec(), expected);
    assert_eq!(&M::decode(&*expected).unwrap(), message);
}

#[test]
fn actor_id_is_the_specification_s() {
    let id: ActorId = "1a2b3c@7/acme:EchoService:1.0.0".parse().unwrap();
    let message = ActrId::from(&id);
    check(
        &message,
        "0a 02 08 07 10 bc d6 68 1a 1a 0a 04 61 63 6d 65 12 0b 45 63 68 6f 53 65 72 76 69 63 65 1a 05 31
         2e 30 2e 30",
    );
    assert_eq!(ActorId::try_from(&message).unwrap(), id);
}

#[test]
fn required_zeros_are_written() {
    let id: ActorId = "0@0/a:B:1".parse().unwrap();
    check(&ActrId::from(&id), "0a 02 08 00 10 00 1a 09 0a 01 61 12 01 42 1a 01 31");
    assert_eq!(ActorId::try_from(&ActrId::from(&id)).unwrap(), id);
}

#[test]
fn envelopes_are_the_specification_s() {
    let request = RpcEnvelope {
        route_key: "echo.EchoService.Echo".into(),
        payload: Some(Bytes::from_static(&[0x0a, 2, 0x68, 0x69])),
        request_id: "r-1".into(),
        timeout_ms: 30_000,
        ..Default::default()
    };
    check(
        &request,
        "0a 15 65 63 68 6f 2e 45 63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 12 04 0a 02 68 69 b2 06 03
         72 2d 31 c0 06 b0 ea 01",
    );
    let response =
        RpcEnvelope { payload: Some(Bytes::from_static(&[0x0a, 2, 0x68, 0x69, 0x10, 5])), ..request.clone() };
    check(
        &response,
        "0a 15 65 63 68 6f 2e 45 63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 12 06 0a 02 68 69 10 05 b2
         06 03 72 2d 31 c0 06 b0 ea 01",
    );
    let error = ErrorResponse { code: 404, message: "unknown route".into() };
    check(&error, "08 94 03 12 0d 75 6e 6b 6e 6f 77 6e 20 72 6f 75 74 65");
    check(
        &RpcEnvelope { payload: None, error: Some(error), ..request.clone() },
        "0a 15 65 63 68 6f 2e 45 63 68 6f 53 65 72 76 69 63 65 2e 45 63 68 6f 1a 12 08 94 03 12 0d 75 6e
         6b 6e 6f 77 6e 20 72 6f 75 74 65 b2 06 03 72 2d 31 c0 06 b0 ea 01",
    );
    let empty = RpcEnvelope { payload: Some(Bytes::new()), ..request };
    assert!(empty.encode_to_vec().windows(2).any(|pair| pair == [0x12, 0x00]), "an empty payload is present");
}

#[test]
fn chunk_is_the_specification_s() {
    let chunk = DataChunk {
        stream_id: "s1".parse().unwrap(),
        sequence: 0,
        payload: Bytes::from_static(&[1, 2]),
        metadata: Vec::new(),
        timestamp_ms: Some(1_767_222_000_123),
    };
    let message = DataStream::from(&chunk);
    check(&message, "0a 02 73 31 10 00 1a 02 01 02 28 fb f3 8e b5 b7 33");
    assert_eq!(DataChunk::try_from(message).unwrap(), chunk);
}
