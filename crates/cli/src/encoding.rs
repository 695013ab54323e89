use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;

/// How bytes are written on the command line and on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// As UTF-8 text; what is none is shown in hexadecimal with `0x` in front.
    Text,
    /// In hexadecimal.
    Hex,
    /// In base64.
    Base64,
}

impl Encoding {
    /// The bytes that a word stands for.
    pub(crate) fn decode(self, word: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Text => Ok(word.as_bytes().to_vec()),
            Self::Hex => from_hex(word).ok_or("is not pairs of digits 0-9 and a-f"),
            Self::Base64 => STANDARD.decode(word).map_err(|_| "is not base64"),
        }
    }

    /// The bytes as a word.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Text => match str::from_utf8(bytes) {
                Ok(text) if !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) => text.to_owned(),
                _ => format!("0x{}", to_hex(bytes)),
            },
            Self::Hex => to_hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }
}

/// The bytes that pairs of hexadecimal digits stand for, spaces aside.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// Bytes in hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn bytes_are_written_and_read() {
        for (encoding, bytes, word) in [
            (Encoding::Text, &b"total"[..], "total"),
            (Encoding::Text, "zäh\t".as_bytes(), "zäh\t"),
            (Encoding::Hex, b"\0\xff", "00ff"),
            (Encoding::Base64, b"\0\xff", "AP8="),
        ] {
            assert_eq!(encoding.encode(bytes), word);
            assert_eq!(encoding.decode(word).unwrap(), bytes);
        }
        assert_eq!(Encoding::Text.encode(b"\0\xff"), "0x00ff");
        assert_eq!(Encoding::Text.encode(b"\x1b[2J"), "0x1b5b324a");
        for (encoding, word) in
            [(Encoding::Hex, "0"), (Encoding::Hex, "+1"), (Encoding::Hex, "éé"), (Encoding::Base64, "?")]
        {
            assert!(encoding.decode(word).is_err(), "{word}");
        }
    }
}
