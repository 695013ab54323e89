use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::LABEL_BYTES_MAX;
use crate::name::ParseError;

/// The name that a workload gives to something of its own: a timer, a key, a setting, a secret. 1 to 128 bytes without control
/// characters, compared exactly. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Arc<str>);

impl Label {
    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| Err(ParseError::new("label", text, rule));
        if text.is_empty() {
            return fail("is empty");
        }
        if text.len() > LABEL_BYTES_MAX {
            return fail("is longer than 128 bytes");
        }
        if text.chars().any(char::is_control) {
            return fail("has a control character");
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
