use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::REQUEST_ID_BYTES_MAX;
use crate::name::ParseError;

/// What tells one request of a caller from another: an id from outside, or a number that this process gave out.
/// A number costs no allocation; it becomes text only when a guest or a peer has to see it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Number(u64),
    Static(&'static str),
    Text(Arc<str>),
}

impl RequestId {
    /// An id that this process gave out. Never equal to one that was parsed.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(Repr::Number(number))
    }

    /// An id that names a lifecycle step or a hook, such as `lifecycle:on_start`.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }

    /// Whether a caller outside this process chose the id, so that it may come twice.
    #[must_use]
    pub const fn is_external(&self) -> bool {
        matches!(self.0, Repr::Text(_))
    }
}

impl FromStr for RequestId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Err(ParseError::new("request id", text, "is empty"));
        }
        if text.len() > REQUEST_ID_BYTES_MAX {
            return Err(ParseError::new("request id", text, "is longer than 256 bytes"));
        }
        Ok(Self(Repr::Text(text.into())))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => write!(f, "local-{number:x}"),
            Repr::Static(text) => f.write_str(text),
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // A peer may put anything into its ids.
            Repr::Text(text) => write!(f, "{}", text.escape_debug()),
            Repr::Number(_) | Repr::Static(_) => write!(f, "{self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;
    use crate::limits::REQUEST_ID_BYTES_MAX;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let shown =
            text.parse::<RequestId>().map_or_else(|e| e.to_string(), |id| format!("{id:?} {}", id.is_external()));
        expected.assert_eq(&shown);
    }

    #[test]
    fn ids_from_outside_are_escaped_where_they_are_logged() {
        check("9f2c", &expect!["9f2c true"]);
        check("a\n\u{1b}[2J\u{202e}", &expect![[r"a\n\u{1b}[2J\u{202e} true"]]);
        check("", &expect![[r#"request id "" is empty"#]]);
        assert!("r".repeat(REQUEST_ID_BYTES_MAX).parse::<RequestId>().is_ok());
        assert!("r".repeat(REQUEST_ID_BYTES_MAX + 1).parse::<RequestId>().is_err());
    }

    /// Nobody outside can take the id of a hook or of a call that this process made.
    #[test]
    fn ids_of_different_origin_are_never_equal() {
        for own in [RequestId::from_number(31), RequestId::from_static("lifecycle:on_start")] {
            assert!(!own.is_external());
            assert_ne!(own.to_string().parse(), Ok(own));
        }
    }
}
