use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::{NAME_BYTES_MAX, VERSION_BYTES_MAX};

/// A text that is not what it should be: what was expected, and what was seen (cut to a printable length).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {seen:?} {rule}")]
pub struct ParseError {
    what: &'static str,
    seen: String,
    rule: &'static str,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, seen: &str, rule: &'static str) -> Self {
        const SEEN_CHARS_MAX: usize = 80;
        Self { what, seen: seen.chars().take(SEEN_CHARS_MAX).collect(), rule }
    }

    /// What kind of value was expected, such as `actor id`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// The rule that the text broke.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// The name of a manufacturer or of an actor type: 1 to 32 bytes, a letter first, then letters, digits, `-`, `_`
/// and `.`, a letter or digit last. No name can leave a directory or a URL:
/// two dots in a row, which actr 0.3 lets pass, are refused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| Err(ParseError::new("name", text, rule));
        if text.len() > NAME_BYTES_MAX {
            return fail("is longer than 32 bytes");
        }
        let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else {
            return fail("is empty");
        };
        if !first.is_alphabetic() {
            return fail("does not start with a letter");
        }
        if !last.is_alphanumeric() {
            return fail("does not end with a letter or digit");
        }
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return fail("has a character other than letters, digits, '-', '_' and '.'");
        }
        if text.contains("..") {
            return fail("has two dots in a row");
        }
        Ok(Self(text.into()))
    }
}

/// The version of an actor type: 1 to 128 bytes without `:`, `/`, `\`, `@`, white space or control characters, and not `.` or
/// `..`. It is compared as text; order between versions is the business of trust policy.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(Arc<str>);

impl Version {
    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Version {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| Err(ParseError::new("version", text, rule));
        if text.is_empty() {
            return fail("is empty");
        }
        if text.len() > VERSION_BYTES_MAX {
            return fail("is longer than 128 bytes");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, ':' | '/' | '\\' | '@')) {
            return fail("has white space, a control character, or one of ':', '/', '\\', '@'");
        }
        if text.chars().all(|c| c == '.') {
            return fail("consists of dots");
        }
        Ok(Self(text.into()))
    }
}

macro_rules! text_impls {
    ($($type:ident),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}
text_impls!(Name, Version);

#[cfg(test)]
mod tests;
