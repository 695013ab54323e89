use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;

/// How keys are written, on the command line and in what is shown, alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyEncoding {
    /// As text, in which `\\` stands for a backslash and `\xNN` for a byte that is not to be seen in text.
    Text,
    /// In hexadecimal, with or without `0x` in front.
    Hex,
    /// In base64.
    Base64,
}

impl KeyEncoding {
    /// The key that a word stands for.
    pub(crate) fn decode(self, word: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Text => unescaped(word).ok_or("has a backslash that is neither `\\\\` nor `\\xNN`"),
            Self::Hex => Encoding::Hex.decode(word.strip_prefix("0x").unwrap_or(word)),
            Self::Base64 => Encoding::Base64.decode(word),
        }
    }

    /// The key as the word that stands for it.
    pub(crate) fn encode(self, key: &[u8]) -> String {
        match self {
            Self::Text => escaped(key),
            Self::Hex => to_hex(key),
            Self::Base64 => STANDARD.encode(key),
        }
    }
}

/// Bytes as text that says exactly what they are, and that a shell takes in single quotes.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let (start, end) = (chunk.valid().as_ptr(), chunk.valid().len());
        for (at, c) in chunk.valid().char_indices() {
            // A space at an end is not seen there, and a word that begins with a dash is an option.
            let first = at == 0 && start == bytes.as_ptr();
            let last = at + c.len_utf8() == end && chunk.invalid().is_empty();
            match c {
                '\\' => out.push_str("\\\\"),
                ' ' if !first && !last => out.push(' '),
                '-' if first => escape(&mut out, b"-"),
                c if is_seen(c) => out.push(c),
                c => escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape(&mut out, chunk.invalid());
    }
    out
}

/// Whether a character stands for itself wherever it is shown.
fn is_seen(c: char) -> bool {
    matches!(c, '\'' | '"') || (c != ' ' && c.escape_debug().count() == 1)
}

fn escape(out: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
}

/// The bytes that such text stands for.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('\\');
    let mut out = parts.next()?.as_bytes().to_vec();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            out.push(b'\\');
            out.extend_from_slice(parts.next()?.as_bytes());
            continue;
        }
        let (digits, rest) = part.strip_prefix('x')?.split_at_checked(2)?;
        out.extend(from_hex(digits).filter(|bytes| bytes.len() == 1)?);
        out.extend_from_slice(rest.as_bytes());
    }
    Some(out)
}

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
    use super::{Encoding, KeyEncoding};

    /// What was shown of a key once meant another key when it was typed, and two keys were shown alike.
    #[test]
    fn keys_are_read_as_they_are_shown() {
        let shown = |key: &[u8]| KeyEncoding::Text.encode(key);
        for (key, word) in [
            (&b"total"[..], "total"),
            (b"entry/\0\x1e", "entry/\\x00\\x1e"),
            (b"0xff", "0xff"),
            (b"\xff", "\\xff"),
            (b"\\xff", "\\\\xff"),
            (b"a b", "a b"),
            (b" a ", "\\x20a\\x20"),
            (b"a\nb", "a\\x0ab"),
            (b"-a-", "\\x2da-"),
            ("zäh'\u{a0}\u{200b}\u{202e}".as_bytes(), "zäh'\\xc2\\xa0\\xe2\\x80\\x8b\\xe2\\x80\\xae"),
            (b"", ""),
        ] {
            assert_eq!(shown(key), word);
        }
        let mut words = std::collections::HashSet::new();
        let alphabet = b"a\\x0 -\n\xff\xc3\xa4";
        for number in 0..alphabet.len().pow(4) {
            let key: Vec<u8> = (0..4).map(|at| alphabet[number / alphabet.len().pow(at) % alphabet.len()]).collect();
            for encoding in [KeyEncoding::Text, KeyEncoding::Hex, KeyEncoding::Base64] {
                assert_eq!(encoding.decode(&encoding.encode(&key)).unwrap(), key);
            }
            words.insert(shown(&key));
        }
        assert_eq!(words.len(), alphabet.len().pow(4));
        assert_eq!(KeyEncoding::Hex.decode("0x00ff").unwrap(), b"\0\xff");
        for word in ["\\", "a\\n", "\\x0", "\\xé", "\\x+1", "\\\\\\"] {
            assert!(KeyEncoding::Text.decode(word).is_err(), "{word}");
        }
    }

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
