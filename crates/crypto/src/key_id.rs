use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, parse_hex, write_hex};
use crate::sign::VerifyingKey;

/// The short name of a public key: `mfr-` and the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
///
/// It picks a key among the trusted ones; 64 bits are too few to be trusted by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    const PREFIX: &'static str = "mfr-";

    /// The name of `key`.
    #[must_use]
    pub fn of(key: &VerifyingKey) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *Digest::of(key.as_bytes()).as_bytes();
        Self([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The text is not a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not `mfr-` and 16 lower-case hexadecimal digits")]
pub struct KeyIdParseError;

impl FromStr for KeyId {
    type Err = KeyIdParseError;

    fn from_str(text: &str) -> Result<Self, KeyIdParseError> {
        text.strip_prefix(Self::PREFIX).and_then(parse_hex).map(Self).ok_or(KeyIdParseError)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyId;
    use crate::SigningKey;

    #[test]
    fn the_example_of_the_specification() {
        let seed = std::array::from_fn(|n| u8::try_from(n).expect("below 32"));
        let id = SigningKey::from_seed(&seed).key_id();
        assert_eq!(id.to_string(), "mfr-56475aa75463474c");
        assert_eq!("mfr-56475aa75463474c".parse(), Ok(id));
    }

    #[test]
    fn nothing_else_parses() {
        for text in
            ["", "mfr-", "mfr-56475aa75463474", "mfr-56475aa75463474cc", "MFR-56475aa75463474c", "mfr-56475AA75463474C"]
        {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
