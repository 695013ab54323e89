use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::ROUTE_BYTES_MAX;
use crate::name::ParseError;

/// Which method of an actor: `<protobuf package>.<Service>.<Method>`, such as `echo.EchoService.Echo`. 1 to 512 bytes
/// without control characters; compared exactly. Cloning is cheap.
#[derive(Clone)]
pub struct RouteKey(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl RouteKey {
    /// A route key from a text in the program, checked when it is compiled if used in a `const`.
    ///
    /// # Panics
    /// If the text is empty, longer than the limit, or has an ASCII control character.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(!text.is_empty() && text.len() <= ROUTE_BYTES_MAX, "a route key has 1 to 512 bytes");
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() {
            assert!(!bytes[at].is_ascii_control(), "a route key has no control characters");
            at += 1;
        }
        Self(Text::Static(text))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl FromStr for RouteKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| Err(ParseError::new("route key", text, rule));
        if text.is_empty() {
            return fail("is empty");
        }
        if text.len() > ROUTE_BYTES_MAX {
            return fail("is longer than 512 bytes");
        }
        if text.chars().any(char::is_control) {
            return fail("has a control character");
        }
        Ok(Self(Text::Shared(text.into())))
    }
}

impl PartialEq for RouteKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for RouteKey {}
impl Hash for RouteKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
impl AsRef<str> for RouteKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::RouteKey;
    use expect_test::{Expect, expect};

    const STATIC: RouteKey = RouteKey::from_static("echo.EchoService.Echo");

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&text.parse::<RouteKey>().map_or_else(|e| e.to_string(), |r| format!("{r:?}")));
    }

    #[test]
    fn routes_have_rules() {
        check("echo.EchoService.Echo", &expect![[r#""echo.EchoService.Echo""#]]);
        check(".EchoService.Echo", &expect![[r#"".EchoService.Echo""#]]);
        check("", &expect![[r#"route key "" is empty"#]]);
        check("a\nb", &expect![[r#"route key "a\nb" has a control character"#]]);
        assert!("r".repeat(512).parse::<RouteKey>().is_ok());
        assert!("r".repeat(513).parse::<RouteKey>().is_err());
        assert_eq!("echo.EchoService.Echo".parse(), Ok(STATIC));
    }

    #[test]
    fn the_form_does_not_matter_to_a_table() {
        let table = std::collections::HashSet::from([STATIC]);
        assert!(table.contains(&"echo.EchoService.Echo".parse::<RouteKey>().expect("a route")));
    }
}
