/// Bytes of foreign text that an error repeats.
const QUOTE_BYTES_MAX: usize = 200;

/// What a TOML parser has against a text, and where.
pub(crate) struct Located {
    pub(crate) line: usize,
    pub(crate) message: String,
}

pub(crate) fn locate(text: &str, error: &toml::de::Error) -> Located {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
    Located { line, message: quote(error.message()) }
}

/// The beginning of a foreign text, for an error.
pub(crate) fn quote(text: &str) -> String {
    let end = (0..=QUOTE_BYTES_MAX.min(text.len())).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
    text[..end].to_owned()
}
