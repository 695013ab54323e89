use playhouse_wire::native::{Frame, HostCall, Reply, write_reply};
use playhouse_wire::proto;
use prost::Message;

/// What a native guest asks: a parsed operation or an answer that can be sent.
pub fn native_frames(bytes: &[u8]) {
    if let Ok(frame) = Frame::read(bytes) {
        assert!(frame.payload.len() <= bytes.len());
        let own = proto::AbiFrame::decode(bytes).expect("two readers of one format");
        assert_eq!((own.abi_version, own.op, &own.payload[..]), (frame.abi_version, frame.op, frame.payload));
    }
    if let Err(refusal) = HostCall::read(bytes) {
        match refusal.encode() {
            Ok(reply) => assert_ne!(Reply::read(&reply).expect("our own reply").status, 0, "a refusal is no success"),
            Err(code) => assert_ne!(code, 0, "a refusal is no success"),
        }
    }
}

/// What a native guest answers, and the handle that it gives for itself.
pub fn native_reply(bytes: &[u8]) {
    if let Ok(reply) = Reply::read(bytes) {
        let mut written = Vec::new();
        write_reply(reply.status, reply.payload, &mut written);
        let again = Reply::read(&written).expect("our own reply");
        assert_eq!((again.status, again.payload), (reply.status, reply.payload));
        let _ = reply.error();
    }
    round_trip::<proto::GuestHandleV1>(bytes);
    round_trip::<proto::InitPayloadV1>(bytes);
}

/// Messages between peers. What is decoded is encoded to something that means the same.
pub fn envelope(bytes: &[u8]) {
    round_trip::<proto::RpcEnvelope>(bytes);
    round_trip::<proto::DataStream>(bytes);
    round_trip::<proto::ActrId>(bytes);
}

fn round_trip<M: Message + Default + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let Ok(message) = M::decode(bytes) else { return };
    let again = M::decode(&message.encode_to_vec()[..]).expect("our own encoding");
    assert!(again == message, "{message:?} became {again:?}");
}
