//! Log text with fields. Wasm guests hand fields over as such; native ABIs carry text alone, so there the fields travel at its end.

use std::fmt;

/// Fields of one piece of log text; more are dropped. A line with more is data and belongs elsewhere.
pub const LOG_FIELDS_MAX: usize = 32;

/// Stands before each field. People do not type it, and it shows as nothing where fields are not known.
const SEPARATOR: char = '\u{1f}';

/// What a workload logs: words for people, and fields for programs.
///
/// ```
/// use playhouse_types::LogText;
///
/// let sent = LogText::new("order taken").with("order", 17).with("name", "A. Person").encode();
/// let log = LogText::parse(&sent);
/// assert_eq!(log.fields().collect::<Vec<_>>(), [("order", "17"), ("name", "A. Person")]);
/// assert_eq!(log.to_string(), r#"order taken order=17 name="A. Person""#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogText {
    text: String,
    fields: Vec<(String, String)>,
}

impl LogText {
    /// Text without fields.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.replace(SEPARATOR, " "), fields: Vec::new() }
    }

    /// With one more field. In its name, white space and `=` become `_`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        if self.fields.len() < LOG_FIELDS_MAX {
            let name = name.replace(|c: char| c == '=' || c == SEPARATOR || c.is_whitespace(), "_");
            self.fields.push((name, value.to_string().replace(SEPARATOR, " ")));
        }
        self
    }

    /// The form in which it travels: the words, and each field behind a unit separator (U+001F) as `name=value`.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = self.text.clone();
        for (name, value) in &self.fields {
            text.extend([SEPARATOR]);
            text.extend([name.as_str(), "=", value.as_str()]);
        }
        text
    }

    /// Reads that form; every text is one.
    #[must_use]
    pub fn parse(encoded: &str) -> Self {
        let mut parts = encoded.split(SEPARATOR);
        let text = parts.next().unwrap_or_default().to_owned();
        let field = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_owned(), value.to_owned())
        };
        Self { text, fields: parts.take(LOG_FIELDS_MAX).map(field).collect() }
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names and values, in the order in which they were given.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Display for LogText {
    /// As one piece of text, values in quotation marks where that is clearer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        for (name, value) in &self.fields {
            let quoted = value.is_empty() || value.contains(|c: char| c == '"' || c == '=' || c.is_whitespace());
            if quoted { write!(f, " {name}={value:?}")? } else { write!(f, " {name}={value}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
