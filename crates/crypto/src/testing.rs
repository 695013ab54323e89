//! What the tests of several modules share.

use playhouse_types::ActorId;

use crate::{ActorVault, MasterKey};

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    assert!(digits.remainder().is_empty(), "{text}");
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}

pub(crate) fn array(text: &str) -> [u8; 32] {
    unhex(text).try_into().expect("32 bytes")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A source whose bytes count up from `start`.
pub(crate) fn counting(start: u8) -> impl FnMut(&mut [u8]) {
    let mut next = start;
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

pub(crate) fn master(start: u8) -> MasterKey {
    MasterKey::generate(counting(start)).expect("a key")
}

pub(crate) fn actor(text: &str) -> ActorId {
    text.parse().expect("an id")
}

pub(crate) fn vault() -> ActorVault {
    master(1).vault(&actor("1a@7/acme:Echo:1.0.0"))
}
