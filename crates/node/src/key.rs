//! What keyed concurrency goes by.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};

use playhouse_scheduler::Key;
use playhouse_types::{ActorId, Event};

/// What decides whether two messages of a keyed actor may be handled at the same time: those with one key never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyBy {
    /// The sending actor. Messages of the application have a key of their own.
    Sender,
    /// A field of the request message, by the protobuf numbers on the way to it. Messages without the field share a key.
    Field(Vec<u32>),
    /// A field that has other numbers in other requests, by route. Requests of other routes share a key.
    FieldByRoute(BTreeMap<String, Vec<u32>>),
}

impl KeyBy {
    /// Reads `sender`, or field numbers as `field:1` and `field:3.1`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text == "sender" {
            return Some(Self::Sender);
        }
        let numbers = text.strip_prefix("field:")?.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        (!numbers.contains(&0)).then_some(Self::Field(numbers))
    }

    /// The key of a message. The hasher is the node's own, so that a stranger cannot choose messages that share a key.
    pub(crate) fn key(&self, hasher: &impl BuildHasher, sender: Option<&ActorId>, event: &Event) -> Key {
        match (self, event) {
            (Self::Sender, _) => Key::from_hash(hasher.hash_one(sender)),
            (Self::Field(path), Event::Request { payload, .. }) => by_field(hasher, payload, path),
            (Self::FieldByRoute(paths), Event::Request { route, payload }) => {
                paths.get(route.as_str()).map_or(Key::NONE, |path| by_field(hasher, payload, path))
            }
            (_, Event::Chunk { chunk, .. }) => Key::from_hash(hasher.hash_one(&chunk.stream_id)),
            (_, _) => Key::NONE,
        }
    }
}

fn by_field(hasher: &impl BuildHasher, message: &[u8], path: &[u32]) -> Key {
    let mut hash = hasher.build_hasher();
    hash.write(field(message, path).unwrap_or_default());
    Key::from_hash(hash.finish())
}

/// The bytes of the last field with that path in a protobuf message: varints and fixed numbers as they stand, the content of
/// strings, bytes and messages.
fn field<'a>(message: &'a [u8], path: &[u32]) -> Option<&'a [u8]> {
    let (&number, rest) = path.split_first()?;
    let mut found = None;
    let mut bytes = message;
    while !bytes.is_empty() {
        let (tag, after) = varint(bytes)?;
        let (value, after) = match tag & 7 {
            0 => {
                let (_, end) = varint(after)?;
                after.split_at_checked(after.len() - end.len())?
            }
            1 => after.split_at_checked(8)?,
            2 => {
                let (len, content) = varint(after)?;
                content.split_at_checked(usize::try_from(len).ok()?)?
            }
            5 => after.split_at_checked(4)?,
            _ => return None,
        };
        if tag >> 3 == u64::from(number) {
            found = Some(value);
        }
        bytes = after;
    }
    if rest.is_empty() { found } else { field(found?, rest) }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index).min(63);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{KeyBy, field};

    #[test]
    fn texts() {
        assert_eq!(KeyBy::from_text("sender"), Some(KeyBy::Sender));
        assert_eq!(KeyBy::from_text("field:3.1"), Some(KeyBy::Field(vec![3, 1])));
        for bad in ["", "field:", "field:0", "field:a", "field:1.", "receiver"] {
            assert_eq!(KeyBy::from_text(bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_are_found_by_path() {
        // 1: varint 150, 2: "hi", 3: { 1: 7 }, 2: "yo"
        let message = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1a, 2, 0x08, 7, 0x12, 2, b'y', b'o'];
        assert_eq!(field(&message, &[1]), Some(&[0x96, 0x01][..]));
        assert_eq!(field(&message, &[2]), Some(&b"yo"[..]));
        assert_eq!(field(&message, &[3, 1]), Some(&[7][..]));
        assert_eq!(field(&message, &[4]), None);
        for end in 0..message.len() {
            let _ = field(&message[..end], &[3, 1]);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_message_panics(bytes: Vec<u8>, path in proptest::collection::vec(1u32..5, 1..4)) {
            let _ = field(&bytes, &path);
        }
    }
}
