//! What tests and fuzzers share. Not part of the API.

use bytes::Bytes;
use playhouse_types::{Event, HostOp};

use crate::native::v2::{
    EventFrame, OpRefusal, read_error, read_event, read_op, read_reply, write_error, write_event, write_op, write_reply,
};

/// The messages of the native ABI V2, for any bytes: the first is the number of an operation, the others are a message. Whatever is
/// understood is written, and read the same again; whatever is refused can be told.
///
/// # Panics
/// If that does not hold.
pub fn check_native_v2(bytes: &[u8]) {
    let Some((number, message)) = bytes.split_first() else { return };
    let (number, shared) = (u32::from(*number), Bytes::copy_from_slice(message));
    check_op(number, &shared);
    check_reply(number, shared);
    check_error(message);
    check_event(message);
}

/// What a guest asks for.
fn check_op(number: u32, message: &Bytes) {
    let op = match read_op(number, message.clone()) {
        Ok(op) => op,
        Err(OpRefusal::Malformed(error)) => {
            let mut told = Vec::new();
            write_error(&error, &mut told);
            return assert_eq!(read_error(&told), error, "a guest hears of another refusal");
        }
        Err(OpRefusal::Unknown) => return,
    };
    let shown = format!("{op:?}");
    let (number, written) = write(op);
    let Ok(again) = read_op(number, written.clone().into()) else { panic!("{shown} is not read again") };
    assert_eq!(format!("{again:?}"), shown, "another operation is read");
    assert_eq!(write(again), (number, written), "{shown} is written in two ways");
}

fn write(op: HostOp) -> (u32, Vec<u8>) {
    let mut out = Vec::new();
    (write_op(op, &mut out), out)
}

/// What a guest hears of an operation.
fn check_reply(number: u32, message: Bytes) {
    let Ok(reply) = read_reply(number, message) else { return };
    let mut written = Vec::new();
    write_reply(&reply, &mut written);
    assert!(read_reply(number, written.into()) == Ok(reply), "another reply is read");
}

/// What a guest says that has failed.
fn check_error(message: &[u8]) {
    let error = read_error(message);
    let mut written = Vec::new();
    write_error(&error, &mut written);
    assert_eq!(read_error(&written), error, "another error is read");
}

/// What a guest is told.
fn check_event(message: &[u8]) {
    let Ok(frame) = EventFrame::read(message) else { return };
    let Ok(event) = read_event(&frame) else { return };
    let told = tell(&event);
    let again = EventFrame::read(&told).and_then(|frame| read_event(&frame));
    let Ok(again) = again else { panic!("{event:?} is not read again") };
    assert_eq!(format!("{again:?}"), format!("{event:?}"), "another event is read");
    assert_eq!(tell(&again), told, "{event:?} is written in two ways");
}

fn tell(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    write_event(event, None, "r-1", None, &mut out);
    out
}
